"""One workflow, some actors, and everything that they can do to its lease and its history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.application.commands.answer_question import AnswerQuestion, answer_question
from holdfast.application.commands.ask_question import AskQuestion, ask_question
from holdfast.application.commands.begin_attempt import BeginAttempt, Begun, begin_attempt
from holdfast.application.commands.cancel_workflow import CancelWorkflow, cancel_workflow
from holdfast.application.commands.complete_checkpoint import (
    CompleteCheckpoint,
    complete_checkpoint,
)
from holdfast.application.commands.create_checkpoint import CreateCheckpoint, create_checkpoint
from holdfast.application.commands.finish_attempt import FinishAttempt, finish_attempt
from holdfast.application.commands.heartbeat import Heartbeat, heartbeat
from holdfast.application.commands.retry_workflow import RetryWorkflow, retry_workflow
from holdfast.application.dispatcher import Dispatcher
from holdfast.application.environment import BackOff, Environment
from holdfast.application.retention.purge import PurgeStore, purge_slices
from holdfast.application.scopes import opening_entry
from holdfast.application.scribe import Entry
from holdfast.domain.attempt import Outcome
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.error_record import ErrorRecord
from holdfast.domain.errors import Fenced, HoldfastError, IllegalTransition
from holdfast.domain.lease import Credentials, Standing
from holdfast.domain.payload import JsonText, Payload
from holdfast.domain.ports import UnitOfWork
from holdfast.domain.retention import Limits, Retention
from holdfast.domain.scope import Scope
from holdfast.infrastructure.clock import ManualClock

from .places import Place
from .processes import PretendedHost

WORKFLOW = Scope("w")
QUESTION = Scope("w", "q")
_LEASE = 60.0


@dataclass(frozen=True)
class Actor:
    """A process, and what it still believes to hold. ``is_past`` once others have acted since."""

    number: int
    credentials: Credentials | None = None
    is_past: bool = False


@dataclass(frozen=True)
class Ghost:
    """What is remembered of a history beside the store, to hold the store against.

    Attributes:
        granted: every epoch that was ever given to an actor.
        written: what acknowledged writes must have left in the shared state.
        acknowledged: the sequences that callers were told of.
        floor: epoch and sequence, which only grow.
    """

    granted: frozenset[int] = frozenset()
    written: tuple[tuple[str, int], ...] = ()
    acknowledged: frozenset[int] = frozenset()
    floor: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class State:
    """One state: of the store, as taken down, and of everybody."""

    store: Any
    seconds: float
    actors: tuple[Actor, ...]
    processes: int
    gone: frozenset[int] = frozenset()
    ghost: Ghost = field(default_factory=Ghost)


class Impossible(Exception):
    """That cannot be done in this state."""


class _Tokens:
    def __init__(self, token: str) -> None:
        self._token = token

    def draw(self) -> float:
        return 0.0

    def token(self) -> str:
        return self._token


class World:
    """A state that can be acted upon."""

    def __init__(self, place: Place, state: State) -> None:
        self.place = place
        self.clock = ManualClock()
        self.clock.advance(state.seconds)
        self.seconds = state.seconds
        self.actors = list(state.actors)
        self.processes = state.processes
        self.gone = set(state.gone)
        self.ghost = state.ghost

    def state(self) -> State:
        return State(
            self.place.take_down(),
            self.seconds,
            tuple(self.actors),
            self.processes,
            frozenset(self.gone),
            self.ghost,
        )

    # What can be done

    def take(self, who: int, *, force: bool = False) -> None:
        """Recover: take the lease and begin an attempt, or be told what stands in the way."""
        actor = self.actors[who]
        if actor.credentials is not None and not force:
            raise Impossible
        entry = opening_entry(WORKFLOW, resume_handler="h", max_retries=1)
        count = len(self.read(lambda uow: uow.attempts.all("w")))
        env = self._env(actor.number, f"{actor.number}-{count}")
        order = BeginAttempt(entry, "h", f"{actor.number}-{count}", _LEASE, force=force)
        begun = self._ask(env, begin_attempt, order)
        if not isinstance(begun, Begun):
            if begun.killed_because is not None:
                self._others_are_past(None)
            raise Impossible if begun.killed_because is None else _Done
        epoch = begun.credentials.epoch
        assert epoch not in self.ghost.granted, f"epoch {epoch} was given to two"
        self._others_are_past(who)
        self.actors[who] = replace(actor, credentials=begun.credentials, is_past=False)
        self.ghost = replace(self.ghost, granted=self.ghost.granted | {epoch})

    def seize(self, who: int) -> None:
        """Take it by force from somebody who is alive."""
        lease = self.read(lambda uow: uow.leases.get("w"))
        if lease is None or lease.token is None or self.actors[who].credentials is not None:
            raise Impossible
        self.take(who, force=True)

    def renew(self, who: int) -> None:
        self._under(who, heartbeat, lambda held: Heartbeat("w", held))

    def write(self, who: int) -> None:
        """Save something in the shared state."""
        key, value = f"by-{who}", len(self.ghost.acknowledged)
        patch = Payload(patch=JsonText(f'{{"{key}": {value}}}'.encode()))
        entry = Entry(WORKFLOW, CheckpointType.PROGRESS, patch)
        self._under(who, create_checkpoint, lambda held: CreateCheckpoint(entry, credentials=held))
        written = dict(self.ghost.written) | {key: value}
        self.ghost = replace(self.ghost, written=tuple(sorted(written.items())))

    def achieve(self, who: int) -> None:
        """Save something that counts as progress, the first time."""
        entry = Entry(WORKFLOW, CheckpointType.PROGRESS, name="achieved")
        self._under(who, create_checkpoint, lambda held: CreateCheckpoint(entry, credentials=held))

    def wait(self, who: int) -> None:
        """Ask; go on from an answer, or let the attempt end in waiting for one."""

        def ask(held: Credentials) -> AskQuestion:
            return AskQuestion(QUESTION, Payload(), None, held)

        asked = self._under(who, ask_question, ask)
        if not asked.is_over:
            self._finish(who, Outcome.WAITING)
            return
        self._under(
            who,
            complete_checkpoint,
            lambda held: CompleteCheckpoint(QUESTION, name="answered", credentials=held),
        )

    def return_(self, who: int) -> None:
        self._finish(who, Outcome.COMPLETED)

    def raise_(self, who: int) -> None:
        self._finish(who, Outcome.FAILED, ErrorRecord("ValueError", "bad"))

    def give_up(self, who: int) -> None:
        self._finish(who, Outcome.GIVEN_UP)

    def die(self, who: int) -> None:
        """End, so that everybody can see it; another process comes in its place."""
        if self.actors[who].credentials is None:
            raise Impossible
        self.gone.add(self.actors[who].number)
        self.processes += 1
        self.actors[who] = Actor(self.processes)

    def expire(self) -> None:
        """Let more time pass than any lease lasts."""
        lease = self.read(lambda uow: uow.leases.get("w"))
        if lease is None or lease.standing(self.clock.moment()) is not Standing.HELD:
            raise Impossible
        self.seconds += _LEASE + 1
        self.clock.advance(_LEASE + 1)

    def answer(self) -> None:
        payload = Payload(state=JsonText(b'{"answer": 1}'))
        self._told(self._outside(answer_question, AnswerQuestion("w", "q", payload)))

    def cancel(self) -> None:
        if self._outside(cancel_workflow, CancelWorkflow("w")):
            self._others_are_past(None)

    def retry(self) -> None:
        self._told(self._outside(retry_workflow, RetryWorkflow("w")))
        self._others_are_past(None)

    def write_outside(self) -> None:
        """Save something without a lease, which ends one that is over."""
        if not self.read(lambda uow: uow.checkpoints.standing("w")):
            raise Impossible
        value = len(self.ghost.acknowledged)
        patch = Payload(patch=JsonText(f'{{"outside": {value}}}'.encode()))
        order = CreateCheckpoint(Entry(WORKFLOW, CheckpointType.PROGRESS, patch))
        self._told(self._outside(create_checkpoint, order))
        self._others_are_past(None)
        written = dict(self.ghost.written) | {"outside": value}
        self.ghost = replace(self.ghost, written=tuple(sorted(written.items())))

    def purge(self) -> None:
        order = PurgeStore(Retention(), "w", Limits(keep=1))
        if not self.read(lambda uow: uow.checkpoints.standing("w")):
            raise Impossible
        slices = purge_slices(order, store=self.place, env=self._env(0, "p"))  # type: ignore[arg-type]
        while True:
            try:
                next(slices)
            except StopIteration as end:
                if not end.value.checkpoints:
                    raise Impossible from None
                return

    # How

    def read(self, look: Callable[[UnitOfWork], Any]) -> Any:
        return self.place.read(look)

    def _env(self, number: int, token: str) -> Environment:
        host = PretendedHost(number, self.gone)
        return Environment(self.clock, host, _Tokens(token), BackOff(0.0, 60.0))

    def _ask(self, env: Environment, handler: Any, command: Any) -> Any:
        return Dispatcher(self.place, env).execute(handler, command)  # type: ignore[arg-type]

    def _outside(self, handler: Any, command: Any) -> Any:
        try:
            return self._ask(self._env(0, "outside"), handler, command)
        except HoldfastError as error:
            raise Impossible from error

    def _under(self, who: int, handler: Any, order: Callable[[Credentials], Any]) -> Any:
        """Write with the credentials that the actor believes in, also where others know better."""
        actor = self.actors[who]
        if actor.credentials is None:
            raise Impossible
        env = self._env(actor.number, "write")
        try:
            done = self._ask(env, handler, order(actor.credentials))
        except Fenced:
            assert actor.is_past, f"{actor} was fenced, and nobody else had acted"
            self.actors[who] = replace(actor, credentials=None, is_past=False)
            raise _Done from None
        except HoldfastError as error:
            raise Impossible from error
        assert not actor.is_past, f"{actor} wrote by {handler.__name__} after others had acted"
        self._told(done)
        return done

    def _finish(self, who: int, outcome: Outcome, error: ErrorRecord | None = None) -> None:
        self._under(
            who,
            finish_attempt,
            lambda held: FinishAttempt(WORKFLOW, held, "c", outcome, error=error),
        )
        self.actors[who] = Actor(self.actors[who].number)

    def _told(self, done: Any) -> None:
        found = getattr(done, "checkpoint", done)
        sequence = getattr(getattr(found, "id", None), "sequence", None)
        if sequence is not None:
            told = self.ghost.acknowledged | {sequence}
            self.ghost = replace(self.ghost, acknowledged=told)

    def _others_are_past(self, who: int | None) -> None:
        for other, actor in enumerate(self.actors):
            if other != who and actor.credentials is not None:
                self.actors[other] = replace(actor, is_past=True)


class _Done(Exception):
    """The action was refused, or did something else; the world has changed all the same."""


OF_ACTORS = (
    World.take,
    World.seize,
    World.renew,
    World.write,
    World.achieve,
    World.wait,
    World.return_,
    World.raise_,
    World.give_up,
    World.die,
)
OF_NOBODY = (
    World.expire,
    World.answer,
    World.cancel,
    World.retry,
    World.write_outside,
    World.purge,
)


def act(world: World, action: Callable[..., None], *who: int) -> bool:
    """Do something; return whether it was possible, so that the world may be another now."""
    try:
        action(world, *who)
    except Impossible:
        return False
    except _Done:
        return True
    return True


__all__ = ["OF_ACTORS", "OF_NOBODY", "Actor", "Ghost", "IllegalTransition", "State", "World", "act"]
