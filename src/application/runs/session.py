"""One attempt as the process that makes it sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from ...domain.advice import START_AGAIN
from ...domain.attempt import Attempt
from ...domain.checkpoint import Checkpoint
from ...domain.errors import (
    Cancelled,
    DuplicateName,
    Fenced,
    ForeignRun,
    IllegalTransition,
    StorageUnavailable,
    TimedOut,
    Waiting,
)
from ...domain.json_value import JsonObject, JsonValue, merge_patch
from ...domain.lease import Credentials
from ...domain.replay import Replay
from ...domain.scope import Scope
from ...domain.scope_record import ScopeRecord
from ..commands.finish_attempt import Finished
from ..dispatcher import Handler
from ..environment import Environment
from .flow import Execute, Flow

C = TypeVar("C")
T = TypeVar("T")

_carried: ContextVar[Session | None] = ContextVar("holdfast_carried", default=None)


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """How long a lease is good for, and how long its run may be silent. In seconds."""

    duration: float
    silence: float


@contextmanager
def carrying(session: Session) -> Iterator[None]:
    """Note, for the code called in the block, which session it is run for.

    A handler that was given up on may still be running when another attempt has begun in the same
    process: what it writes must not pass for the other's.
    """
    token = _carried.set(session)
    try:
        yield
    finally:
        _carried.reset(token)


def carried_session() -> Session | None:
    """Return the session that the calling code is run for, if it is a handler's."""
    return _carried.get()


class Session:
    """One attempt as the process that makes it sees it. May be used from any of its threads.

    Attributes:
        scope: what the handler completes when it returns.
        past: what the chain added up to when the attempt began.
        ended: why nothing more can be done in it, once that is so.
        is_completed: the workflow was completed before: steps give what is recorded.
        is_succeeded: its process has entered the workflow again: what is written outside of any
            handler is not its own any more.
        timed_out: what was recorded, where the attempt was ended for being silent.
        interrupt: how the driver is told to stop the handler, where it can be stopped.
        watched: somebody else ends it when it is silent, and records that.
        on_sign: told of each sign of life, with the seconds for which it may be silent where that
            is more than usual, and 0 where it is not.
        output_tail: the end of what the handler's own process printed, where it had one.
    """

    def __init__(
        self,
        attempt: Attempt,
        credentials: Credentials,
        scope: Scope,
        past: Replay,
        terms: LeaseTerms,
        env: Environment,
        *,
        is_completed: bool = False,
    ) -> None:
        self.attempt = attempt
        self.credentials = credentials
        self.scope = scope
        self.past = past
        self.terms = terms
        self.is_completed = is_completed
        self.ended: Exception | None = None
        self.is_succeeded = False
        self.timed_out: Finished | None = None
        self.interrupt: Callable[[], None] | None = None
        self.watched = False
        self.on_sign: Callable[[float], None] | None = None
        self.output_tail: str | None = None
        self._env = env
        self._lock = threading.Lock()
        self._used: set[Scope] = set()
        self._states: dict[Scope, JsonObject] = {}
        self._allowances: list[float] = []
        self._waits: list[Waiting] = []
        self._told: dict[int, float] = {}
        self._last_sign_ns = env.clock.moment().uptime_ns

    def belongs_to(self, env: Environment) -> bool:
        """Whether it is a session of the engine with that environment."""
        return self._env is env

    @property
    def workflow(self) -> Scope:
        """The scope of the workflow."""
        return self.scope.workflow

    @property
    def input(self) -> JsonValue:
        """What the workflow was started with."""
        return self.past.record(self.workflow).input

    @property
    def in_doubt(self) -> tuple[str, ...]:
        """The stages and steps that were opened and not closed before this attempt."""
        return tuple(scope.key for scope, _ in self.past.open_scopes() if scope.stage_id)

    def record(self, scope: Scope) -> ScopeRecord:
        """Return what was known of *scope* when the attempt began."""
        return self.past.record(scope)

    def state(self, scope: Scope) -> JsonObject:
        """Return the state of *scope* as this session left it; not to be changed in place."""
        with self._lock:
            return self._states.get(scope, self.past.record(scope).state)

    def note_state(self, scope: Scope, state: JsonObject | None, patch: JsonObject | None) -> None:
        """Note that a checkpoint was written that replaces or patches the state of *scope*."""
        with self._lock:
            new = self._states.get(scope, self.past.record(scope).state)
            if state is not None:
                new = state
            if patch is not None:
                new = merge_patch(new, patch)
            self._states[scope] = new

    def claim(self, scope: Scope) -> None:
        """Note that the code uses this name; raises `DuplicateName` the second time."""
        if not self.is_completed:
            self.require_alive()
        with self._lock:
            if scope in self._used:
                raise DuplicateName(scope)
            self._used.add(scope)

    def require_alive(self) -> None:
        """Raise when nothing more can be done in this session, or not in this process."""
        if isinstance(self.ended, TimedOut):
            # What ended the attempt is the handler's business; whoever still writes is fenced.
            now = f"its attempt has ended ({self.ended})"
            raise Fenced(str(self.workflow), self.attempt.epoch, now) from self.ended
        if self.ended is not None:
            raise self.ended
        pid = self._env.host.owner().pid
        if pid != self.attempt.owner.pid:
            raise ForeignRun(self.attempt.workflow_id, self.attempt.owner.pid, pid)

    def end(self, why: Exception) -> None:
        """Refuse everything from now on; the first reason stays."""
        with self._lock:
            if self.ended is None:
                self.ended = why

    def cancel(self) -> None:
        """Note that the run was asked to stop."""
        self.end(Cancelled(self.attempt.workflow_id))

    @property
    def is_cancelled(self) -> bool:
        """Whether the run was asked to stop."""
        return isinstance(self.ended, Cancelled)

    def note_wait(self, waiting: Waiting) -> None:
        """Note that the code asked something that is not answered yet: the attempt is to end."""
        with self._lock:
            self._waits.append(waiting)

    def wait_in(self, error: BaseException | None) -> Waiting | None:
        """Return what the attempt waits for, if it ended for that: by returning, or by *error*."""
        if error is not None and not _is_wait(error):
            return None
        with self._lock:
            if self._waits:
                return self._waits[0]
        return error if isinstance(error, Waiting) else None  # asked in a process of its own

    def is_stopped_by(self, error: Exception) -> bool:
        """Whether *error* is not the work's failure: the run is to stop, or the store is ill."""
        stopped = self.ended is not None or _is_wait(error)
        return stopped or store_trouble_in(error) is not None

    def write(self, handler: Handler[C, T], command: C) -> Flow[T]:
        """Run a command under the session's lease; once fenced, nothing more is tried."""
        self.require_alive()
        try:
            result: T = yield Execute(handler, command)
        except Cancelled:
            self.cancel()
            raise
        except Fenced as fenced:
            if fenced.resource == self.attempt.workflow_id:
                self.end(fenced)
            raise
        self.touch()
        return result

    def touch(self) -> None:
        """Note a sign of life: a checkpoint, a finished step, a heartbeat."""
        self._last_sign_ns = self._env.clock.moment().uptime_ns
        if self.on_sign is not None:
            with self._lock:
                allowed = max(self._allowances, default=0.0)
            self.on_sign(allowed)

    def hear(self, process: int, allowance: float | None) -> None:
        """Note a sign of life of another process that works for this attempt.

        Args:
            allowance: seconds for which that one may be silent, where that is more than usual; 0
                ends it; ``None`` changes nothing.
        """
        self.touch()
        if allowance is None:
            return
        with self._lock:
            self._told.pop(process, None)
            if allowance > 0:
                self._told[process] = allowance

    @contextmanager
    def may_be_silent(self, seconds: float | None) -> Iterator[None]:
        """Allow silence for so many seconds inside the block, where that is more than usual."""
        if seconds is None:
            yield
            return
        with self._lock:
            self._allowances.append(seconds)
        self.touch()
        try:
            yield
        finally:
            with self._lock:
                self._allowances.remove(seconds)

    @property
    def silence_limit(self) -> float:
        """How long it may be silent now, in seconds."""
        with self._lock:
            return max([self.terms.silence, *self._allowances, *self._told.values()])

    @property
    def silent_for(self) -> float:
        """How long it has been silent, in seconds."""
        return (self._env.clock.moment().uptime_ns - self._last_sign_ns) / 1e9


def _is_wait(error: BaseException) -> bool:
    """Whether *error* is nothing but waiting for answers."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_wait, error.exceptions))
    return isinstance(error, Waiting)


def store_trouble_in(error: BaseException) -> StorageUnavailable | None:
    """Return the store's trouble that *error* is, or that a group of errors holds."""
    if isinstance(error, StorageUnavailable):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(store_trouble_in, error.exceptions)), None)
    return None


def replaying_session(
    env: Environment, opening: Checkpoint, last: Attempt | None, past: Replay, terms: LeaseTerms
) -> Session:
    """Return a session of a completed workflow: it gives what is recorded and writes nothing."""
    attempt = Attempt(
        workflow_id=opening.id.workflow_id,
        number=last.number if last else 1,
        epoch=opening.epoch,
        handler=opening.resume_handler,
        owner=env.host.owner(),
        correlation_id=last.correlation_id if last else "",
        begun_at=opening.created_at,
        begun_after=opening.id.sequence,
    )
    nothing = Credentials(opening.epoch, "")
    session = Session(attempt, nothing, opening.scope, past, terms, env, is_completed=True)
    session.end(
        IllegalTransition(opening.scope, opening.status, "written to", f"it is done; {START_AGAIN}")
    )
    return session
