"""A store that is always the same: crashes, waits, kills, long ids, on a clock turned by hand.

The screens of the documentation are made of it, and tests look at it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import holdfast
from holdfast.domain.lease import Owner
from holdfast.infrastructure.clock import ManualClock

START = datetime(2026, 3, 10, 21, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
MINUTE, HOUR = 60.0, 3600.0

RELEASE = "release-notes-2026.03"
STALE = "ingest/orders-2026-03-14"
FAILED = "embeddings 🌱 nightly"
KILLED = "migrate-customers-eu-west"
WAITING = "contract-review-7f3c1a9e4b2d48c6a1e05d9b3c7f2e8d4a6b9c0e1f2a3b4c5d6e7f8091a2b3c4"
RECORD = "metrics"

_BOOT, _TOKEN = "boot-1", "0123456789abcdef"


class OrchardClock(ManualClock):
    """Nobody who waits by it wakes up: what a process leaves behind stays as it is."""

    def __init__(self) -> None:
        super().__init__(START)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for the event alone."""
        return event.wait()

    @property
    def now(self) -> datetime:
        """What it shows."""
        return self.moment().wall


class OrchardHost:
    """A host of which nothing can be looked up: leases run out by time alone."""

    def __init__(self, pid: int) -> None:
        self._owner = Owner(
            host="orchard", boot_id=_BOOT, pid_namespace=None, pid=pid, started=None
        )

    def owner(self) -> Owner:
        """Return the process with the number that was given."""
        return self._owner

    def is_gone(self, owner: Owner) -> bool:
        """Nobody is provably gone."""
        return False


class OrchardRandomness:
    """Always the same."""

    def __init__(self) -> None:
        self._count = 0

    def draw(self) -> float:
        """Return a number from the middle."""
        return 0.5

    def token(self) -> str:
        """Return another text each time, and the same ones in each orchard."""
        self._count += 1
        return f"{self._count:04x}{_TOKEN}"


@contextmanager
def standing_still(clock: ManualClock, pid: int = 4000) -> Iterator[None]:
    """Let every engine that is opened meanwhile live on the orchard's clock and host."""
    bootstrap = "holdfast.interface.bootstrap."
    with (
        patch(bootstrap + "SystemClock", lambda: clock),
        patch(bootstrap + "LocalHost", lambda: OrchardHost(pid)),
        patch(bootstrap + "SystemRandomness", OrchardRandomness),
    ):
        yield


@dataclass
class Process:
    """A process that works on the store, as long as it lives."""

    engine: holdfast.Engine

    def die(self) -> None:
        """Leave everything as it is, as SIGKILL does."""
        self.engine._kernel.keepers.after_fork()
        self.engine.close()


class Orchard:
    """Grows the store."""

    def __init__(self, target: str | Path) -> None:
        self._target = target
        self.clock = OrchardClock()
        self._pid = 4100

    def grow(self) -> None:
        """Let four days pass."""
        self._record()
        self._release()
        self._killed()
        self._release_after_the_answer()
        self._waiting()
        self._failed()
        self._stale()
        self.pass_until(NOW)

    def pass_until(self, at: datetime) -> None:
        """Let time pass until then."""
        self.clock.advance((at - self.clock.now).total_seconds())

    def process(self, *, back_off: float = 1.0) -> Process:
        """Start another process."""
        self._pid += 7
        settings = holdfast.Settings(back_off_base=back_off, back_off_cap=4 * HOUR)
        with standing_still(self.clock, self._pid):
            return Process(holdfast.open(self._target, settings=settings))

    def work(self, seconds: float, value: Any = None) -> Callable[..., Any]:
        """Return a step that takes so long."""

        def step(*_: object) -> Any:
            self.clock.advance(seconds)
            return value

        return step

    def _record(self) -> None:
        process = self.process()
        for number in range(3):
            process.engine.checkpoint(RECORD, name=f"hour {number}", state={"requests": number * 7})
            self.clock.advance(MINUTE)
        process.engine.close()

    def _release(self) -> None:
        first = self.process()
        run = first.engine.run(
            RELEASE, handler="release-notes", input={"root": "src"}, metadata={"team": "docs"}
        ).__enter__()
        run.step("discover", self.work(4.2, ["api", "cli", "docs", "engine", "store"]))
        stage = run.stage("analyse", kind="parallel").__enter__()
        agents = {}
        for name in ("api", "cli", "docs"):
            agents[name] = stage.agent(name, input={"args": [], "kwargs": {}}).__enter__()
            self.clock.advance(0.4)
        self.clock.advance(6)
        agents["cli"].__exit__(None, None, None)
        self.clock.advance(5)
        first.die()

        self.clock.advance(95)
        second = self.process()
        run = second.engine.run(RELEASE, handler="release-notes", input={"root": "src"}).__enter__()
        run.step("discover", self.work(4.2))
        with run.stage("analyse", kind="parallel") as stage:
            for name, took in (("api", 9), ("cli", 1), ("docs", 7), ("engine", 12), ("store", 3)):
                stage.step(name, self.work(took, {"findings": took}))
        run.step("draft", self.work(11, "# Release notes"))
        try:
            run.wait("approval", ask={"draft": "# Release notes"})
        except holdfast.Waiting as waiting:
            run.__exit__(type(waiting), waiting, None)
        second.engine.close()

    def _release_after_the_answer(self) -> None:
        self.pass_until(datetime(2026, 3, 13, 10, 12, 30, tzinfo=UTC))
        third = self.process()
        third.engine.answer(RELEASE, "approval", {"ok": True})
        self.clock.advance(21)
        with third.engine.run(RELEASE, handler="release-notes", input={"root": "src"}) as run:
            run.step("discover", self.work(0))
            with run.stage("analyse", kind="parallel") as stage:
                for name in ("api", "cli", "docs", "engine", "store"):
                    stage.step(name, self.work(0))
            run.step("draft", self.work(0))
            run.wait("approval", ask={"draft": "# Release notes"})
            run.step("publish", self.work(8.5, {"url": "https://example.org/notes/2026.03"}))
        third.engine.close()

    def _killed(self) -> None:
        self.pass_until(datetime(2026, 3, 12, 2, 0, tzinfo=UTC))
        for _ in range(3):
            process = self.process(back_off=0.0)
            run = process.engine.run(KILLED, handler="migrate", max_retries=2)
            with suppress(ValueError), run:
                run.step("copy", self.work(1))
                run.step("check", self._refuse)
            process.engine.close()
            self.clock.advance(2 * MINUTE)
        process = self.process()
        registry = holdfast.Registry()
        registry.handler("migrate")(lambda _: None)
        with standing_still(self.clock, self._pid):
            engine = holdfast.open(self._target, registry=registry)
        with suppress(holdfast.NotRecoverable):
            engine.recover(KILLED)
        engine.close()
        process.engine.close()

    def _refuse(self) -> None:
        self.clock.advance(14)
        raise ValueError(
            "customer 40312: the column postal_code holds 'SW1A 1AA ' where the target table "
            "allows no trailing blank, and 17 more rows like this one"
        )

    def _waiting(self) -> None:
        self.pass_until(datetime(2026, 3, 14, 7, 5, tzinfo=UTC))
        process = self.process()
        run = process.engine.run(WAITING, handler="review").__enter__()
        run.step("read the contract", self.work(31, {"clauses": 48}))
        try:
            run.wait("approval", ask="Is clause 12 acceptable?", until=timedelta(days=7))
        except holdfast.Waiting as waiting:
            run.__exit__(type(waiting), waiting, None)
        process.engine.close()

    def _failed(self) -> None:
        self.pass_until(datetime(2026, 3, 14, 8, 40, tzinfo=UTC))
        process = self.process(back_off=4 * HOUR)
        with suppress(RuntimeError), ExitStack() as stack:
            run = stack.enter_context(process.engine.run(FAILED, handler="embed"))
            stage = stack.enter_context(run.stage("batches", kind="parallel"))
            stage.step("part 1/2", self.work(40, 512))
            stage.step("part 2/2 — “naïve” <b>& more</b>", self._deep)
        process.engine.close()

    def _deep(self, depth: int = 12) -> None:
        if depth:
            self._deep(depth - 1)
        self.clock.advance(22)
        try:
            raise ConnectionResetError(104, "Connection reset by peer")
        except ConnectionResetError as error:
            raise RuntimeError("the embedding service went away after 312 of 512 rows") from error

    def _stale(self) -> None:
        self.pass_until(datetime(2026, 3, 14, 9, 21, 12, tzinfo=UTC))
        process = self.process()
        run = process.engine.run(STALE, handler="ingest").__enter__()
        run.step("list files", self.work(2.5, 24))
        stage = run.stage("load", kind="parallel").__enter__()
        stage.agent("eu/west", input=["a.csv"]).__enter__()
        self.clock.advance(1)
        stage.agent("us@east", input=["b.csv"]).__enter__()
        self.clock.advance(48)
        process.die()


def grow(target: str | Path) -> OrchardClock:
    """Make the store; return its clock, which shows `NOW`."""
    orchard = Orchard(target)
    orchard.grow()
    return orchard.clock
