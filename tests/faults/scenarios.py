"""What is done to a store while its disk is watched: short, and something of everything.

Each is a function of a `Stage`. Where nothing is under way it says ``stage.quiet(engine)``: what
the engine tells then is put into the record, and must be what the disk gives back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import holdfast

from .content import content_of
from .disk import Disk

THREADS = 8


@dataclass(frozen=True)
class Stage:
    """Where a scenario takes place."""

    disk: Disk
    target: str
    durability: str

    def open(self, registry: holdfast.Registry | None = None) -> holdfast.Engine:
        """Return an engine on the store; the first makes it."""
        return holdfast.open(
            self.target,
            registry=registry,
            durability=self.durability,
            settings={"write_timeout": 2.0},
        )

    def quiet(self, engine: holdfast.Engine) -> None:
        """Say what the engine tells now; nothing may be under way."""
        self.disk.mark(f"content {content_of(engine)}")


def scopes(stage: Stage) -> None:
    """Scopes opened and closed, one that fails, patches, a state that takes several pages."""
    with stage.open() as engine:
        engine.checkpoint("wf", type="workflow_start", resume_handler="h", state={"n": 1})
        stage.quiet(engine)
        load = engine.checkpoint("wf", type="stage_start", stage_id="load", input={"from": "a"})
        agent = engine.checkpoint("wf", type="agent_start", stage_id="load", agent_id="eu")
        engine.checkpoint("wf", stage_id="load", agent_id="eu", patch={"seen": [1, 2]})
        engine.complete(agent.id, {"rows": 3})
        stage.quiet(engine)
        other = engine.checkpoint("wf", type="agent_start", stage_id="load", agent_id="us")
        engine.fail(other.id, ValueError("no luck"))
        engine.checkpoint("wf", name="large", state={"text": _noise(30_000)})
        engine.heartbeat("wf")
        engine.complete(load.id, abandon=True)
        stage.quiet(engine)
        engine.complete("wf@1", {"done": True})
        stage.quiet(engine)


def reopened(stage: Stage) -> None:
    """The store closed and opened again and again: the -wal goes and comes back."""
    for round_ in range(4):
        with stage.open() as engine:
            engine.checkpoint("log", state={"round": round_, "text": _noise(2_000 * round_)})
            engine.checkpoint(f"log-{round_}", name="fact", metadata={"round": round_})
            stage.quiet(engine)


def carried_on(stage: Stage) -> None:
    """A workflow with steps that waits, is answered, and is carried on; and one that fails."""
    app = holdfast.Registry()

    @app.workflow("crew", max_retries=2)
    def crew(run: holdfast.Run) -> str:
        parts = run.step("part", str.upper, "a")
        with run.stage("read", kind="parallel") as read:
            read.map(str.upper, ["x", "y"], workers=1)
        verdict = run.wait("approval", ask=parts)
        return f"{parts} {verdict}"

    @app.workflow("doomed", max_retries=1)
    def doomed(run: holdfast.Run) -> None:
        run.step("before", str.upper, "b")
        raise ValueError("no luck")

    with stage.open(app) as engine:
        with suppress(holdfast.Waiting):
            engine.start("crew", workflow_id="r-1")
        stage.quiet(engine)
        with suppress(ValueError):
            engine.start("doomed", workflow_id="r-2")
        engine.answer("r-1", "approval", "yes")
        stage.quiet(engine)
    with stage.open(app) as engine:
        assert engine.recover("r-1").output == "A yes"
        engine.cancel("r-2")
        stage.quiet(engine)
        engine.retry("r-2")
        stage.quiet(engine)


def retained(stage: Stage) -> None:
    """History purged, made self-contained, forked and deleted."""
    with stage.open() as engine:
        for number in range(8):
            engine.checkpoint("old", name=f"n{number}", patch={f"k{number}": number})
        engine.checkpoint("gone", type="workflow_start", resume_handler="h")
        engine.complete("gone@1")
        stage.quiet(engine)
        engine.purge(workflow="old", keep=3)
        stage.quiet(engine)
        engine.fork("old@8", "new")
        engine.delete("gone")
        engine.checkpoint("old", name="after", patch={"k": None})
        engine.consolidate("old")
        stage.quiet(engine)


def two_engines(stage: Stage) -> None:
    """Two engines on one store take turns; one ends while the other one works."""
    with stage.open() as one:
        one.checkpoint("both", state={"by": "one"})
        two = stage.open()
        for number in range(3):
            one.checkpoint("both", patch={"one": number})
            two.checkpoint("both", patch={"two": number})
            two.checkpoint("own", state={"text": _noise(1_500)})
        stage.quiet(one)
        two.close()
        one.checkpoint("both", name="alone")
        stage.quiet(one)


def side_by_side(stage: Stage) -> None:
    """Eight threads save at once, and share commits."""
    with stage.open() as engine:
        ready = threading.Barrier(THREADS)

        def save(thread: int) -> None:
            ready.wait()
            for number in range(3):
                name = f"{thread}-{number}"
                engine.checkpoint(f"t{thread % 4}", name=name, patch={"n": number})
                stage.disk.mark(f"saved {name}")

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(save, range(THREADS)))
        stage.quiet(engine)


def upgraded(stage: Stage) -> None:
    """A store of the first schema is brought up to date, and written to (SQLite)."""
    from tests.migration.conftest import _make

    stage.disk.mark("begins")
    _make(Path(stage.target), 1)
    stage.disk.mark("committed")
    with stage.open() as engine:
        stage.quiet(engine)
        engine.checkpoint("wf", name="after the upgrade")
        stage.quiet(engine)


SCENARIOS: dict[str, Callable[[Stage], None]] = {
    each.__name__: each
    for each in (scopes, reopened, carried_on, retained, two_engines, side_by_side, upgraded)
}


def names_for(kind: str) -> list[str]:
    """Return the scenarios for a kind of store; documents of JSON files have one schema."""
    return [name for name in SCENARIOS if kind == "sqlite" or name != "upgraded"]


def _noise(size: int) -> str:
    """Return text that does not compress, the same each time."""
    return Random(size).randbytes(size // 2).hex()
