"""Runs use cases as transactions, and records those that were refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from ..domain.errors import Fenced, HoldfastError, LeaseHeld
from ..domain.events import DomainEvent, EventKind
from ..domain.ports import Store, UnitOfWork, Written
from .environment import Environment
from .redaction import Redact, redacted

C = TypeVar("C")
C_contra = TypeVar("C_contra", contravariant=True)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Handler(Protocol[C_contra, T_co]):
    """What handles a command or a query: a function beside it."""

    def __call__(self, command: C_contra, /, *, uow: UnitOfWork, env: Environment) -> T_co:
        """Return what the command or the query comes to."""


class Dispatcher:
    """Runs commands and queries on one store. May be called from any thread."""

    def __init__(self, store: Store, env: Environment, redact: Redact | None = None) -> None:
        self.store = store
        self.env = env
        self._redact = redact

    @property
    def redact(self) -> Redact | None:
        """What takes secrets out of what is stored, where something does."""
        return self._redact

    def execute(self, handler: Handler[C, T], command: C, *, timeout: float | None = None) -> T:
        """Run *command* as one transaction; return what its handler returns, durably."""
        env = self.env
        if self._redact is not None:
            command = redacted(command, self._redact)
        try:
            return self.store.write(_work(handler, command, env), timeout=timeout)
        except (Fenced, LeaseHeld) as refusal:
            self._record(refusal)
            raise

    def execute_each(self, orders: Sequence[tuple[Handler[Any, T], Any]]) -> list[Written[T]]:
        """Run each command as a transaction of its own; return what became of each, durably."""
        if self._redact is not None:
            return self._redacted_each(orders, self._redact)
        return self._write_each(orders)

    def _write_each(self, orders: Sequence[tuple[Handler[Any, T], Any]]) -> list[Written[T]]:
        env = self.env
        written = self.store.write_each(
            [_work(handler, command, env) for handler, command in orders]
        )
        for each in written:
            if isinstance(each.error, Fenced | LeaseHeld):
                self._record(each.error)
        return written

    def _redacted_each(
        self, orders: Sequence[tuple[Handler[Any, T], Any]], redact: Redact
    ) -> list[Written[T]]:
        """Do the same with what *redact* leaves; where it raises, that order alone is refused."""
        outcomes: list[Written[T]] = [Written() for _ in orders]
        kept: list[tuple[int, tuple[Handler[Any, T], Any]]] = []
        for place, (handler, command) in enumerate(orders):
            try:
                kept.append((place, (handler, redacted(command, redact))))
            except Exception as error:  # noqa: BLE001 - told to whoever waits for it
                outcomes[place] = Written(error=error)
        written = self._write_each([order for _, order in kept])
        for (place, _), each in zip(kept, written, strict=True):
            outcomes[place] = each
        return outcomes

    def ask(self, handler: Handler[C, T], query: C) -> T:
        """Run *query* on one unchanging view of the store."""
        return self.store.read(lambda uow: handler(query, uow=uow, env=self.env))

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run *work* on one unchanging view of the store."""
        return self.store.read(work)

    def _record(self, refusal: Fenced | LeaseHeld) -> None:
        """Log a refusal in a transaction of its own: the refused one left nothing behind."""
        event = DomainEvent(
            EventKind.WRITE_REFUSED,
            refusal.resource,
            self.env.clock.moment().wall,
            epoch=refusal.epoch,
            detail={"error": type(refusal).__name__, "message": str(refusal)},
        )
        try:
            self.store.write(lambda uow: uow.events.append(_of_its_attempt(event, refusal, uow)))
        except HoldfastError as trouble:
            # The refusal matters more to the caller than that it could not be logged.
            refusal.add_note(f"the refusal could not be logged: {trouble}")


def _of_its_attempt(
    event: DomainEvent, refusal: Fenced | LeaseHeld, uow: UnitOfWork
) -> DomainEvent:
    """Return the event with the correlation id of the attempt whose write was refused."""
    if not isinstance(refusal, Fenced):
        return event  # it had none: it is another's lease that stood in the way
    for attempt in uow.attempts.all(refusal.resource):
        if attempt.epoch == refusal.epoch:
            return replace(event, correlation_id=attempt.correlation_id)
    return event


def _work(handler: Handler[C, T], command: C, env: Environment) -> Callable[[UnitOfWork], T]:
    return lambda uow: handler(command, uow=uow, env=env)
