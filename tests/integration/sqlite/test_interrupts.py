"""Writers that are interrupted at any line of what they run, alone or among others.

Ctrl-C arrives between two lines: each line of the store's own code is tried, in turn.
"""

from __future__ import annotations

import linecache
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from holdfast.domain.events import DomainEvent, EventKind
from holdfast.domain.ports import UnitOfWork
from holdfast.infrastructure import commit_queue
from holdfast.infrastructure.sqlite import (
    connections,
    landing,
    store,
    transaction,
    turns,
    writer,
)
from holdfast.infrastructure.sqlite.store import SqliteStore

OpenStore = Callable[..., SqliteStore]

# Nothing here takes that long, unless it hangs; in seconds.
LONG = 5.0
_INTERRUPTED = {
    each.__file__
    for each in (commit_queue, connections, landing, store, transaction, turns, writer)
}


# Interrupts come after calls and jumps. A `with` is told of again when it is left, and before;
# from there on to the end of letting go nothing but a debugger can come between.
# Nor does anything come between what SQLite raises and the note of it, or what it is caught with.
_WHOLE = (
    "with ",
    "lock.release",
    "self.write_lock.release",
    "except sqlite3.Error as error",
    "except BaseException as error",
    "try:",
    "transaction.failure = error",
)


class Trouble:
    """What the next COMMIT of a writer meets, and whether it has landed even so; once."""

    def __init__(self) -> None:
        self.code = 0
        self.is_written = False
        self.is_next = False

    def arm(self) -> None:
        self.is_next = self.code != 0

    def commit(self, connection: sqlite3.Connection) -> None:
        self.is_next = False
        # As SQLite does of itself when the disk is full, or gave an error.
        sqlite3.Connection.execute(connection, "COMMIT" if self.is_written else "ROLLBACK")
        error = sqlite3.OperationalError("as SQLite says it")
        error.sqlite_errorcode = self.code
        raise error


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Trouble:
    trouble = Trouble()
    connect = sqlite3.connect

    class Troubled(sqlite3.Connection):
        def execute(self, text: str, *values: Any) -> sqlite3.Cursor:
            if text == "COMMIT" and trouble.is_next:
                trouble.commit(self)
            return super().execute(text, *values)

    def connect_troubled(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, factory=Troubled, **options)

    monkeypatch.setattr(sqlite3, "connect", connect_troubled)
    return trouble


COMMITS = pytest.mark.parametrize(
    ("code", "is_written"),
    [(0, True), (sqlite3.SQLITE_FULL, False), (sqlite3.SQLITE_IOERR_FSYNC, True)],
    ids=["it commits", "its commit fails", "its commit fails and has landed"],
)


class Interrupter:
    """Interrupts the thread that calls it at its nth line of the store's code."""

    def __init__(self, line: int | None) -> None:
        self.lines = 0
        self.where = ""
        self._line = line

    def __repr__(self) -> str:
        return f"interrupted at {self.where}"

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in _INTERRUPTED:
            return None
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip()
        if event == "line" and not line.startswith(_WHOLE):
            self.lines += 1
            if self.lines == self._line:
                self.where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return self


class Writer(threading.Thread):
    """Writes one event; keeps what became of it."""

    def __init__(
        self,
        target: SqliteStore,
        run: int,
        interrupter: Interrupter | None = None,
        trouble: Trouble | None = None,
    ) -> None:
        super().__init__(daemon=True)
        self._trouble = trouble
        self._store = target
        self._number = run
        self._interrupter = interrupter
        self.outcome: object = "hangs"

    def run(self) -> None:
        if self._interrupter is not None:
            sys.settrace(self._interrupter)
        try:
            self._store.write(self._work, timeout=LONG / 2)
            self.outcome = "written"
        except BaseException as error:  # noqa: BLE001 - it is what became of it
            self.outcome = error
        finally:
            sys.settrace(None)

    def _work(self, uow: UnitOfWork) -> None:
        if self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            trouble.arm()
        uow.events.append(_event(self._number))


@pytest.fixture
def pair(path: Path, open_store: OpenStore, trouble: Trouble) -> tuple[SqliteStore, SqliteStore]:
    return open_store(path, durability="process"), open_store(path, durability="process")


def _lines_of(play: Callable[[Interrupter], None]) -> Iterator[Interrupter]:
    """Let *play* be interrupted at its first line, its second, ..., up to its last."""
    line = 0
    while True:
        line += 1
        interrupter = Interrupter(line)
        play(interrupter)
        yield interrupter
        if not interrupter.where:
            assert line > 20, "there is nothing to interrupt"
            return


@COMMITS
def test_write_when_a_lone_writer_is_interrupted_anywhere_then_it_is_whole_and_lets_go(
    pair: tuple[SqliteStore, SqliteStore], trouble: Trouble, code: int, is_written: bool
) -> None:
    ours, other = pair
    trouble.code, trouble.is_written = code, is_written
    number = 0

    def play(interrupter: Interrupter) -> None:
        nonlocal number
        number += 1
        alone = Writer(ours, number, interrupter, trouble)
        alone.start()
        alone.join(LONG)
        trouble.is_next = False
        _require(ours, other, {number: alone}, interrupter)

    for _ in _lines_of(play):
        pass


def test_write_when_it_is_interrupted_anywhere_while_it_gives_up_then_nobody_is_locked_out(
    pair: tuple[SqliteStore, SqliteStore],
) -> None:
    ours, other = pair

    def refuse(uow: UnitOfWork) -> None:
        uow.events.append(_event(1))
        raise LookupError

    def play(interrupter: Interrupter) -> None:
        sys.settrace(interrupter)
        with suppress(LookupError, KeyboardInterrupt):
            ours.write(refuse, timeout=LONG / 2)
        sys.settrace(None)
        for target in (other, ours):
            target.write(lambda uow: uow.events.append(_event(0)), timeout=0.0)
        assert not any(_runs_in(other)), interrupter.where

    for _ in _lines_of(play):
        pass


class _InterruptedOnceTaken:
    """A lock; whoever takes it is interrupted before it can note that."""

    def __init__(self, lock: Any) -> None:
        self._lock = lock

    def acquire(self, **how: Any) -> bool:
        assert self._lock.acquire(**how)
        raise KeyboardInterrupt

    def release(self) -> None:
        self._lock.release()


@pytest.mark.parametrize("what", ["a save", "a look"])
def test_write_lock_when_interrupted_right_after_it_was_taken_then_it_is_let_go(
    pair: tuple[SqliteStore, SqliteStore], what: str
) -> None:
    ours, _ = pair
    lock = ours._connections.write_lock
    ours._connections.write_lock = _InterruptedOnceTaken(lock)  # type: ignore[assignment]

    with pytest.raises(KeyboardInterrupt):
        ours.write(lambda _: None) if what == "a save" else ours.modes_in_force()

    ours._connections.write_lock = lock
    later = Writer(ours, 1)
    later.start()
    later.join(LONG)
    assert later.outcome == "written"


@COMMITS
@pytest.mark.parametrize("role", [0, 1, 2], ids=["leader", "follower", "last follower"])
def test_write_when_one_of_a_batch_is_interrupted_anywhere_then_the_others_are_written_once(
    pair: tuple[SqliteStore, SqliteStore],
    trouble: Trouble,
    role: int,
    code: int,
    is_written: bool,
) -> None:
    ours, other = pair
    trouble.code, trouble.is_written = code, is_written
    number = 0

    def play(interrupter: Interrupter) -> None:
        nonlocal number
        number += 3
        writers = {
            number + at: Writer(
                ours, number + at, interrupter if at == role else None, None if at else trouble
            )
            for at in range(3)
        }
        with_all_waiting(ours, list(writers.values()))
        trouble.is_next = False
        _require(ours, other, writers, interrupter)

    for _ in _lines_of(play):
        pass


def with_all_waiting(target: SqliteStore, writers: list[Writer]) -> None:
    """Let the writers queue in their order behind somebody who writes; return when all ended."""
    inside, go = threading.Event(), threading.Event()

    def hold(_: UnitOfWork) -> None:
        inside.set()
        assert go.wait(LONG)

    holder = threading.Thread(target=lambda: target.write(hold))
    holder.start()
    assert inside.wait(LONG)
    for count, each in enumerate(writers, 1):
        each.start()
        # One that was interrupted before it got there never will.
        while len(target._queue._queue) < count and each.is_alive():
            each.join(0.0002)
        if not each.is_alive():
            break
    for each in writers:
        if each.ident is None:
            each.start()
    go.set()
    holder.join(LONG)
    assert not holder.is_alive()
    for each in writers:
        each.join(LONG)


def _require(
    ours: SqliteStore,
    other: SqliteStore,
    writers: dict[int, Writer],
    interrupter: Interrupter,
) -> None:
    found = _runs_in(other)
    for number, each in writers.items():
        assert each.outcome != "hangs", interrupter.where
        told = f"{interrupter.where}: {each.outcome!r}"
        if each._interrupter is None:
            assert each.outcome == "written", told
        elif each.outcome != "written":
            assert isinstance(each.outcome, KeyboardInterrupt), told
            assert found.count(number) <= 1, told
            continue
        assert found.count(number) == 1, told
    # Whoever is next is not kept waiting, here or elsewhere, and nothing is left half done.
    for target in (other, ours):
        target.write(lambda uow: uow.events.append(_event(0)), timeout=0.0)
    assert [each for each in _runs_in(ours) if each] == found, interrupter.where
    _forget_all(ours)


def _runs_in(target: SqliteStore) -> list[int]:
    return [each.detail["run"] for each in target.read(lambda uow: uow.events.read())]


def _forget_all(target: SqliteStore) -> None:
    """So that the next one has little to read."""
    with closing(sqlite3.connect(target.target)) as raw:
        raw.execute("DELETE FROM events")
        raw.commit()


def _event(run: int) -> DomainEvent:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return DomainEvent(EventKind.RESUMED, "wf", at, detail={"run": run})
