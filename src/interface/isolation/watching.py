"""Watching a process that carries a workflow on: its time, its signs of life, its lease."""

from __future__ import annotations

from ...application.runs.session import Session
from ...domain.errors import Fenced, TimedOut
from ...domain.ports import Clock
from ...domain.ports.processes import Process
from ..stopping import Stopping

_LONGEST_NAP = 5.0


class Watch:
    """Waits for a process that carries a session's workflow on, and says when it has to end.

    By the session's clock: the signs of life of the process are the session's own.

    Args:
        subject: a step of the session, whose silence is watched by somebody else.
    """

    def __init__(
        self,
        process: Process,
        session: Session,
        clock: Clock,
        timeout: float | None,
        grace: float,
        stopping: Stopping,
        *,
        subject: str | None = None,
    ) -> None:
        self._process = process
        self._session = session
        self._clock = clock
        self._timeout = timeout
        self._grace = grace
        self._stopping = stopping
        self._subject = subject or str(session.workflow)
        self._heeds_silence = subject is None
        self._begun_ns = clock.moment().uptime_ns
        self._said_ns: int | None = None

    def wait(self) -> TimedOut | None:
        """Return when the process has ended, or has to; with what it exceeded, if it did."""
        session = self._session
        session.watched = True
        session.interrupt = self._process.changed.set
        try:
            with self._stopping.waking(self._process.changed.set):
                return self._look_on()
        finally:
            session.interrupt = None
            session.watched = False

    def _look_on(self) -> TimedOut | None:
        process, session = self._process, self._session
        while True:
            process.changed.clear()
            for sign in process.signs():
                session.hear(sign.sender, sign.allowance)
            is_lost = isinstance(session.ended, Fenced)
            if process.exit_code is not None or self._stopping.is_set or is_lost:
                return None
            nap, why = self._rest()
            if why is not None or nap <= 0:
                return why
            self._clock.wait(process.changed, nap)

    def _rest(self) -> tuple[float, TimedOut | None]:
        """Return the seconds until there is something to look at, or what was exceeded."""
        now = self._clock.moment().uptime_ns
        if self._process.word is not None:
            # It has said how it ended; what it does after that gets the grace and no more.
            self._said_ns = self._said_ns or now
            return min(_LONGEST_NAP, self._grace - (now - self._said_ns) / 1e9), None
        rests = [_LONGEST_NAP]
        if self._heeds_silence:
            limit = self._session.silence_limit
            rests.append(limit - self._session.silent_for)
            if rests[-1] <= 0:
                return 0.0, TimedOut(self._subject, "was silent for", limit)
        if self._timeout is not None:
            rests.append(self._timeout - (now - self._begun_ns) / 1e9)
            if rests[-1] <= 0:
                return 0.0, TimedOut(self._subject, "timed out after", self._timeout)
        return min(rests), None
