"""Recovers what is stale, failed and due, answered or waited out; purges on its schedule."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ...application.queries.find_due import Due, DueWorkflow, FindDue, find_due
from ...domain.attempt import Outcome
from ...domain.circuit_breaker import BreakerPolicy, CircuitBreaker
from ...domain.errors import HoldfastError, NotRecoverable, StorageUnavailable
from ...domain.ports.journal import JournalLevel
from ...domain.staleness import DEFAULT_THRESHOLD
from ..drivers.daemon_threads import in_thread
from ..engine import Engine
from .schedule import Schedule

Tell = Callable[[str, str], None]
"""Called with a workflow and one word: recovered, failed, waiting, cancelled, killed, passed."""

_LEAST_JITTER, _MOST_JITTER = 0.1, 0.5


@dataclass(frozen=True, slots=True)
class SuperviseOptions:
    """How a supervisor works; durations in seconds.

    Attributes:
        interval: between two looks at the store.
        at_once: recoveries side by side.
        grace: for what is under way, when told to stop; then it is handed back.
        threshold: how long a workflow that never had a lease may be silent.
        breaker: when a handler that fails is left alone.
    """

    interval: float = 5.0
    at_once: int = 4
    grace: float = 30.0
    threshold: timedelta = DEFAULT_THRESHOLD
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)


@dataclass(slots=True)
class Sweep:
    """What a supervisor did since its last look at the store, and what it saw there."""

    ready: int = 0
    recovered: int = 0
    failed: int = 0
    waiting: int = 0
    cancelled: int = 0
    killed: int = 0
    passed: int = 0
    blocked: int = 0
    damaged: int = 0
    running: int = 0
    circuits_open: list[str] = field(default_factory=list)


class Supervisor:
    """Carries on what nobody carries on. Any number of them may run on one store.

    A lease decides who gets what: whoever comes second finds it taken, and goes on.

    Args:
        purge: what the schedule calls for.
        tell: is told how each recovery ended.
    """

    def __init__(
        self,
        engine: Engine,
        options: SuperviseOptions | None = None,
        *,
        schedule: Schedule | None = None,
        purge: Callable[[], object] | None = None,
        tell: Tell | None = None,
    ) -> None:
        self._engine = engine
        self._options = options or SuperviseOptions()
        self._kernel = engine._kernel  # noqa: SLF001 - the engine's own supervisor
        self._clock = self._kernel.env.clock
        self._schedule = schedule
        self._purge = purge
        self._tell = tell
        self._lock = threading.Lock()
        self._waiting: deque[DueWorkflow] = deque()
        self._running: set[str] = set()
        self._threads = 0
        self._idle = threading.Event()
        self._idle.set()
        self._breakers: dict[str, CircuitBreaker] = {}
        self._told: set[tuple[str, str]] = set()
        self._now = Sweep()
        self._stop = threading.Event()
        self._purge_at = schedule.after(self._wall()) if schedule else None

    def run(self, stop: threading.Event, *, once: bool = False) -> None:
        """Work until *stop* is set, or, with *once*, until nothing is left to be done now.

        What is under way when it is told to stop may end within the grace; then it is handed back.
        """
        self._stop = stop
        while not stop.is_set():
            # So that many supervisors of one store do not move in step.
            if self._clock.wait(stop, random.uniform(_LEAST_JITTER, _MOST_JITTER)):  # noqa: S311
                break
            found = self._look()
            self._purge_if_due()
            if once and not found:
                break
            if once:
                self._clock.wait(self._idle, self._options.interval)
            else:
                self._clock.wait(stop, self._options.interval)
        self._finish()

    def _look(self) -> bool:
        """Look at the store; return whether there is, or was, anything to be done now."""
        with self._lock:
            besides = frozenset(self._running) | {each.workflow_id for each in self._waiting}
        query = FindDue(self._kernel.registry, self._options.threshold, besides)
        try:
            due = self._kernel.dispatcher.ask(find_due, query)
        except HoldfastError as trouble:
            self._log("error", "sweep failed", {"error": str(trouble)})
            return False
        self._tell_news(due)
        random.shuffle(due.ready)
        with self._lock:
            now = self._uptime()
            ready = [each for each in due.ready if not self._breaker(each).is_blocking(now)]
            self._waiting.extend(ready)
            sweep, self._now = self._now, Sweep()
            sweep.ready, sweep.blocked, sweep.damaged = (
                len(ready),
                len(due.blocked),
                len(due.damaged),
            )
            sweep.running = len(self._running)
            sweep.circuits_open = sorted(
                name for name, each in self._breakers.items() if each.state == "open"
            )
            self._start_threads()
            busy = bool(self._waiting or self._running)
        self._log("info" if sweep != Sweep() else "debug", "sweep", asdict(sweep))
        return busy

    def _breaker(self, found: DueWorkflow) -> CircuitBreaker:
        handler = found.handler or ""
        return self._breakers.setdefault(handler, CircuitBreaker(self._options.breaker))

    def _start_threads(self) -> None:
        wanted = min(self._options.at_once, len(self._waiting) + len(self._running))
        while self._threads < wanted:
            self._threads += 1
            self._idle.clear()
            in_thread("holdfast-supervise", self._work)

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._stop.is_set() or not self._waiting:
                    self._threads -= 1
                    if self._threads == 0:
                        self._idle.set()
                    return
                found = self._waiting.popleft()
                if not self._breaker(found).allows(self._uptime()):
                    continue  # opened since it was found; it is found again later
                self._running.add(found.workflow_id)
            try:
                self._recover(found)
            finally:
                with self._lock:
                    self._running.discard(found.workflow_id)

    def _recover(self, found: DueWorkflow) -> None:
        fields = {"workflow_id": found.workflow_id, "handler": found.handler}
        try:
            result = self._engine.recover(workflow_id=found.workflow_id)
        except KeyboardInterrupt:
            self._count("passed", found, None)
            self._log("warning", "handed back", fields)
        except NotRecoverable as refused:
            self._count("killed" if refused.killed else "passed", found, None)
        except StorageUnavailable as trouble:
            # The disk's trouble is nobody's failure.
            self._count("passed", found, None)
            self._log("error", "store trouble", {**fields, "error": str(trouble)})
        except HoldfastError as refused:
            self._count("passed", found, None)
            self._log("warning", "not recovered", {**fields, "error": str(refused)})
        except Exception as error:  # noqa: BLE001 - one recovery must not end the supervisor
            self._count("failed", found, False)
            self._log("error", "recovery broke", {**fields, "error": repr(error)})
        else:
            name, good = _ENDED.get(result.outcome, ("failed", False))
            self._count(name, found, good)

    def _count(self, name: str, found: DueWorkflow, good: bool | None) -> None:
        """Count how a recovery ended; *good* is whether that speaks for its handler."""
        handler = found.handler or ""
        if self._tell is not None:
            self._tell(found.workflow_id, name)
        with self._lock:
            setattr(self._now, name, getattr(self._now, name) + 1)
            breaker = self._breaker(found)
            if good is None:
                breaker.came_to_nothing()
            elif good and breaker.succeeded():
                self._log("info", "circuit closed", {"handler": handler})
            elif not good and breaker.failed(self._uptime()):
                seconds = self._options.breaker.cool_off
                self._log("warning", "circuit opened", {"handler": handler, "for_s": seconds})

    def _tell_news(self, due: Due) -> None:
        """Name what cannot be carried on, once."""
        news = {(each.workflow_id, "; ".join(map(str, each.obstacles))) for each in due.blocked}
        news |= set(due.damaged.items())
        for workflow, why in sorted(news - self._told):
            self._log("warning", "cannot be carried on", {"workflow_id": workflow, "reason": why})
        self._told = news

    def _purge_if_due(self) -> None:
        if self._purge_at is None or self._purge is None or self._schedule is None:
            return
        now = self._wall()
        if now < self._purge_at:
            return
        self._purge_at = self._schedule.after(now)
        try:
            self._purge()
        except HoldfastError as trouble:
            self._log("error", "purge failed", {"error": str(trouble)})

    def _finish(self) -> None:
        """Let what is under way end within the grace; hand back what does not."""
        with self._lock:
            self._waiting.clear()
        if self._clock.wait(self._idle, self._options.grace):
            return
        # Ends the handlers' own processes; what cannot be ended loses its lease with the engine.
        self._kernel.stopping.set()
        self._clock.wait(self._idle, 2 * self._kernel.settings.grace)

    def _log(self, level: JournalLevel, event: str, fields: dict[str, Any]) -> None:
        if self._kernel.journal is not None:
            self._kernel.journal.say(event, level=level, **fields)

    def _uptime(self) -> float:
        return self._clock.moment().uptime_ns / 1e9

    def _wall(self) -> datetime:
        return self._clock.moment().wall


_ENDED: dict[Outcome, tuple[str, bool | None]] = {
    Outcome.COMPLETED: ("recovered", True),
    Outcome.WAITING: ("waiting", None),
    Outcome.CANCELLED: ("cancelled", None),
    Outcome.FENCED: ("passed", None),
    Outcome.GIVEN_UP: ("passed", None),
    Outcome.STORE_TROUBLE: ("passed", None),
}
