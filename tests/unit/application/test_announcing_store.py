"""A store that tells what was written: after the commit, once, and nothing that was rolled back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from holdfast.application.announcing_store import AnnouncingStore
from holdfast.application.commands.create_checkpoint import CreateCheckpoint, create_checkpoint
from holdfast.application.dispatcher import Dispatcher
from holdfast.application.environment import Environment
from holdfast.application.scopes import opening_entry
from holdfast.domain.events import DomainEvent, EventKind
from holdfast.domain.json_value import JsonValue
from holdfast.domain.ports import Store, UnitOfWork
from holdfast.domain.ports.journal import JournalLevel
from holdfast.domain.scope import Scope
from holdfast.infrastructure.clock import ManualClock
from holdfast.infrastructure.host import LocalHost
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.memory import MemoryStore
from holdfast.infrastructure.randomness import SystemRandomness

T = TypeVar("T")

AT = datetime(2026, 3, 1, tzinfo=UTC)


class Listener:
    """A journal that keeps what it is told, and what the store's own log held at that moment."""

    def __init__(self, store: Store, *, wants_saves: bool = False) -> None:
        self.wants_saves = wants_saves
        self.told: list[DomainEvent] = []
        self.in_store: list[int] = []
        self._store = store

    def tell(self, events: Sequence[DomainEvent]) -> None:
        self.told += events
        self.in_store.append(len(self._store.read(lambda uow: uow.events.read())))

    def say(self, event: str, *, level: JournalLevel = "info", **fields: JsonValue) -> None:
        raise AssertionError(event)


class RunAgain(MemoryStore):
    """A store in which every transaction meets trouble once, and is run again."""

    def write(self, work: Callable[[UnitOfWork], T], *, timeout: float | None = None) -> T:
        def fail(uow: UnitOfWork) -> None:
            work(uow)
            raise OSError

        with suppress(OSError):
            super().write(fail)
        return super().write(work)


def _note(workflow: str) -> Callable[[UnitOfWork], None]:
    return lambda uow: uow.events.append(DomainEvent(EventKind.ANSWERED, workflow, AT))


def _fail(uow: UnitOfWork) -> None:
    _note("lost")(uow)
    raise ValueError("no")


@pytest.mark.parametrize("kind", [MemoryStore, RunAgain])
def test_write_when_it_is_committed_then_told_once_and_after_it(kind: Any) -> None:
    inner = kind(JsonCodec())
    listener = Listener(inner)

    AnnouncingStore(inner, listener).write(_note("w"))

    assert [event.workflow_id for event in listener.told] == ["w"]
    assert listener.in_store == [1]


def test_write_when_it_raises_then_nothing_is_told() -> None:
    inner = MemoryStore(JsonCodec())
    listener = Listener(inner)

    with pytest.raises(ValueError, match="no"):
        AnnouncingStore(inner, listener).write(_fail)

    assert (listener.told, listener.in_store) == ([], [])


def test_write_each_when_one_raises_then_the_others_are_told() -> None:
    inner = MemoryStore(JsonCodec())
    listener = Listener(inner)

    written = AnnouncingStore(inner, listener).write_each([_note("a"), _fail, _note("b")])

    assert [each.error is None for each in written] == [True, False, True]
    assert [event.workflow_id for event in listener.told] == ["a", "b"]


@pytest.mark.parametrize("wants_saves", [False, True])
def test_save_when_the_journal_wants_them_then_told_as_created(wants_saves: bool) -> None:
    inner = MemoryStore(JsonCodec())
    listener = Listener(inner, wants_saves=wants_saves)
    env = Environment(ManualClock(), LocalHost(), SystemRandomness())
    dispatcher = Dispatcher(AnnouncingStore(inner, listener), env)

    dispatcher.execute(create_checkpoint, CreateCheckpoint(opening_entry(Scope("w"))))

    assert [event.kind for event in listener.told] == [EventKind.CREATED] * wants_saves


def test_store_when_asked_for_what_its_adapter_has_then_the_adapter_gives_it() -> None:
    inner = MemoryStore(JsonCodec())

    store = AnnouncingStore(inner, Listener(inner))

    assert store.target == "memory:"
    assert store.tables is inner.tables
