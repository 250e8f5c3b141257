"""Writers that are interrupted at any line of what they run, alone or among others.

Ctrl-C arrives between two lines: each line of the store's own code is tried, in turn.
"""

from __future__ import annotations

import linecache
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from filelock import FileLock
from holdfast.domain.events import DomainEvent, EventKind
from holdfast.domain.ports import UnitOfWork
from holdfast.infrastructure import commit_queue
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.json_files import journal, layout, store, store_lock
from holdfast.infrastructure.json_files.store import JsonFileStore

# Nothing here takes that long, unless it hangs; in seconds.
LONG = 5.0
_INTERRUPTED = {each.__file__ for each in (commit_queue, journal, store, store_lock)}
# Interrupts come after calls and jumps. A `with` is told of again when it is left, and from there
# on nothing but a debugger can come between; nor can another around the count of those inside.
_WHOLE = ("with ", "self._depth -= 1")
_COUNTED = "self._depth += 1"


class Interrupter:
    """Interrupts the thread that calls it at its nth line of the store's code."""

    def __init__(self, line: int) -> None:
        self.lines = 0
        self.where = ""
        self._line = line

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        file, number = frame.f_code.co_filename, frame.f_lineno
        if file not in _INTERRUPTED:
            return None
        line = linecache.getline(file, number).lstrip()
        is_whole = line.startswith(_WHOLE) or _COUNTED in linecache.getline(file, number - 1)
        if event == "line" and not is_whole:
            self.lines += 1
            if self.lines == self._line:
                self.where = f"{Path(file).name}:{number}: {line.strip()}"
                raise KeyboardInterrupt
        return self


class Writer(threading.Thread):
    """Writes one event; keeps what became of it."""

    def __init__(
        self, target: JsonFileStore, run: int, interrupter: Interrupter | None = None
    ) -> None:
        super().__init__(daemon=True)
        self._store = target
        self._number = run
        self._interrupter = interrupter
        self.outcome = "hangs"

    @property
    def is_interrupted(self) -> bool:
        """Whether it is the one to be interrupted."""
        return self._interrupter is not None

    def run(self) -> None:
        if self._interrupter is not None:
            sys.settrace(self._interrupter)
        try:
            self._store.write(lambda uow: uow.events.append(_event(self._number)), timeout=LONG / 2)
            self.outcome = "written"
        except BaseException as error:  # noqa: BLE001 - it is what became of it
            self.outcome = type(error).__name__
        finally:
            sys.settrace(None)


def test_write_when_a_lone_writer_is_interrupted_anywhere_then_it_is_whole_and_lets_go(
    folder: Path,
) -> None:
    for line in _lines(folder, _alone):
        assert line < 2000


@pytest.mark.parametrize("role", [0, 1], ids=["leader", "follower"])
def test_write_when_one_of_a_batch_is_interrupted_anywhere_then_the_others_are_written_once(
    folder: Path, role: int
) -> None:
    def play(ours: JsonFileStore, interrupter: Interrupter) -> list[Writer]:
        writers = [Writer(ours, at, interrupter if at == role + 1 else None) for at in (1, 2, 3)]
        _with_all_waiting(ours, writers)
        return writers

    for line in _lines(folder, play):
        assert line < 2000


def _open(folder: Path) -> JsonFileStore:
    return JsonFileStore.open(folder, JsonCodec(), write_timeout=LONG / 2)


def _alone(ours: JsonFileStore, interrupter: Interrupter) -> list[Writer]:
    writer = Writer(ours, 1, interrupter)
    writer.start()
    writer.join(LONG)
    return [writer]


def _lines(
    folder: Path,
    play: Callable[[JsonFileStore, Interrupter], list[Writer]],
) -> Iterator[int]:
    """Let *play* be interrupted at its first line, its second, ..., up to its last."""
    line = 0
    while True:
        line += 1
        # A few rounds a store: so that it stays small, and what is left behind is met again.
        if line % 20 == 1:
            # Not closed by a fixture: that would wait for what a failure left locked.
            pair = [_open(folder.with_name(f"store{line}")) for _ in range(2)]
        interrupter = Interrupter(line)
        before = len(_runs_in(pair[1]))
        writers = play(pair[0], interrupter)
        _require(pair[0], pair[1], before, writers, interrupter.where)
        yield line
        if not interrupter.where:
            assert line > 20, "there is nothing to interrupt"
            return


def _require(
    ours: JsonFileStore, other: JsonFileStore, before: int, writers: list[Writer], where: str
) -> None:
    # Told first: a lock that was kept shows here, to who has another store of the same folder.
    free = FileLock(other.folder / layout.LOCK)
    free.acquire(timeout=0)
    free.release()
    assert "unlocked" in repr(ours.lock._threads), where
    found = _runs_in(other)[before:]
    for number, each in enumerate(writers, 1):
        told = f"{where}: {each.outcome}"
        if each.is_interrupted and each.outcome != "written":
            assert each.outcome == "KeyboardInterrupt", told
            assert found.count(number) <= 1, told
        else:
            assert each.outcome == "written", told
            assert found.count(number) == 1, told
    for target in (other, ours):
        target.write(lambda uow: uow.events.append(_event(0)), timeout=1.0)
    assert _runs_in(ours)[before:] == [*found, 0, 0], where


def _with_all_waiting(target: JsonFileStore, writers: list[Writer]) -> None:
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


def _runs_in(target: JsonFileStore) -> list[int]:
    return [each.detail["run"] for each in target.read(lambda uow: uow.events.read(limit=10_000))]


def _event(run: int) -> DomainEvent:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return DomainEvent(EventKind.RESUMED, "wf", at, detail={"run": run})
