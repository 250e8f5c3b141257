"""What happens to a store around a fork; a program of its own for `test_forked_process`.

Called with a scenario and the path of a store. It prints what the processes saw, as one JSON
object; the test looks at the file afterwards.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.errors import StoreBusy
from holdfast.domain.moment import from_microseconds
from holdfast.domain.payload import EMPTY
from holdfast.domain.ports import CheckpointFilter, Store, UnitOfWork
from holdfast.interface.bootstrap import make_kernel
from holdfast.interface.settings import Settings

# Nothing here takes that long, unless it hangs; in seconds.
_LONG = 10.0


def child_works_beside_its_parent(path: Path) -> None:
    """Both write and read in turn after the fork."""
    store = _open(path)
    acknowledged = [_save(store)]
    to_child, to_parent = _Signal(), _Signal()

    def child() -> None:
        for _ in range(3):
            to_child.wait()
            to_parent.give(_save(store))
        to_parent.give(" ".join(_ids(store)))

    pid = _fork(child)
    for _ in range(3):
        acknowledged.append(_save(store))
        to_child.give("go")
        acknowledged.append(to_parent.wait())
    seen_by_child = to_parent.wait().split()
    os.waitpid(pid, 0)
    acknowledged.append(_save(store))
    _tell(acknowledged=acknowledged, seen_by_child=seen_by_child, seen=_ids(store))
    store.close()


def parent_closes_before_its_child(path: Path) -> None:
    """The child goes on with a store that it used while its parent still had it open."""
    store = _open(path)
    acknowledged = [_save(store)]
    to_child, to_parent = _Signal(), _Signal()

    def child() -> None:
        to_parent.give(_save(store))
        to_child.wait()
        to_parent.give(" ".join(_save(store) for _ in range(3)))

    pid = _fork(child)
    acknowledged.append(to_parent.wait())
    store.close()
    to_child.give("closed")
    acknowledged += to_parent.wait().split()
    os.waitpid(pid, 0)
    _tell(acknowledged=acknowledged)


def daemon_outlives_its_parent(path: Path) -> None:
    """The parent ends without closing, as when a daemon is made; others come and go."""
    store = _open(path)
    acknowledged = [_save(store)]
    to_daemon, to_us = _Signal(), _Signal()

    def daemon() -> None:
        to_us.give(_save(store))
        to_daemon.wait()
        to_us.give(" ".join(_save(store) for _ in range(3)))

    def parent() -> None:
        _save(store)
        _fork(daemon)

    # As in every program that makes daemons, the store was opened by the one that goes.
    store.close()
    store = _open(path)
    os.waitpid(_fork(parent), 0)
    store.close()
    acknowledged.append(to_us.wait())
    # Somebody looks at the store, and is the last one to close it as far as the locks tell.
    visitor = _open(path)
    _ids(visitor)
    visitor.close()
    to_daemon.give("go on")
    acknowledged += to_us.wait().split()
    _tell(acknowledged=acknowledged)


def child_ends_after_somebody_crashed(path: Path) -> None:
    """A child that has not used the store ends: that must not touch what a third one left."""
    store = _open(path)
    acknowledged = [_save(store)]
    to_child = _Signal()

    def child() -> None:
        to_child.wait()
        # Not os._exit: the interpreter clears away what it has, inherited connections too.
        sys.exit(0)

    pid = _fork(child)
    store.close()
    crashed = subprocess.run(
        [sys.executable, __file__, "save_and_crash", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    acknowledged += json.loads(crashed.stdout)["acknowledged"]
    to_child.give("end")
    os.waitpid(pid, 0)
    _tell(acknowledged=acknowledged)


def save_and_crash(path: Path) -> None:
    """Write, say so, and die without closing: what was written is in the -wal alone."""
    store = _open(path)
    _tell(acknowledged=[_save(store) for _ in range(3)])
    os.kill(os.getpid(), signal.SIGKILL)


def fork_amid_a_transaction(path: Path) -> None:
    """Another thread of the parent is inside a transaction when the child is made."""
    store = _open(path)
    acknowledged = [_save(store)]
    to_child, to_parent = _Signal(), _Signal()
    inside, forked = threading.Event(), threading.Event()

    def slowly(uow: UnitOfWork) -> str:
        saved = _put(uow)
        inside.set()
        # The fork may also be held up until the transaction has ended: then this runs out.
        forked.wait(_LONG / 20)
        return saved

    def child() -> None:
        to_child.wait()
        to_parent.give(_save(store))

    writer = threading.Thread(target=lambda: acknowledged.append(store.write(slowly)))
    writer.start()
    inside.wait()
    pid = _fork(child)
    forked.set()
    writer.join()
    to_child.give("go")
    acknowledged.append(to_parent.wait())
    os.waitpid(pid, 0)
    acknowledged.append(_save(store))
    store.close()
    _tell(acknowledged=acknowledged)


def child_waits_for_its_parents_lock(path: Path) -> None:
    """The parent begins a transaction after the fork: the child has to wait for its end."""
    store = _open(path)
    acknowledged = [_save(store)]
    to_child, to_parent = _Signal(), _Signal()

    def child() -> None:
        to_child.wait()
        try:
            store.write(lambda _: None, timeout=0.2)
        except StoreBusy:
            to_parent.give("busy")
        else:
            to_parent.give("not busy")
        to_child.wait()
        to_parent.give(_save(store))

    def meanwhile(uow: UnitOfWork) -> str:
        acknowledged.append(_put(uow))
        to_child.give("try")
        return to_parent.wait()

    pid = _fork(child)
    found = store.write(meanwhile)
    to_child.give("go")
    acknowledged.append(to_parent.wait())
    os.waitpid(pid, 0)
    store.close()
    _tell(acknowledged=acknowledged, found=found)


class _Signal:
    """A line that one process gives and another waits for."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    def give(self, line: str) -> None:
        os.write(self._writing, f"{line}\n".encode())

    def wait(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([self._reading], [], [], _LONG)[0]:
                raise TimeoutError("the other process did not get there")
            line += os.read(self._reading, 1)
        return line.decode().rstrip("\n")


def _fork(child: Callable[[], None]) -> int:
    pid = os.fork()
    if not pid:
        _run(child)
    return pid


def _run(child: Callable[[], None]) -> NoReturn:
    try:
        child()
    except Exception as error:  # noqa: BLE001 - a child must not go on in its parent's code
        print(f"the child failed: {error!r}", file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def _open(path: Path) -> Store:
    # As an engine does: what is done about forks is wired there.
    return make_kernel(path, settings=Settings(write_timeout=_LONG / 4)).store


def _save(store: Store) -> str:
    return store.write(_put)


def _put(uow: UnitOfWork) -> str:
    standing = uow.checkpoints.standing("wf")
    at = from_microseconds(0)
    checkpoint = Checkpoint(
        CheckpointId("wf", None, None, uow.sequences.next("wf")),
        CheckpointType.PROGRESS,
        CheckpointStatus.COMPLETED,
        at,
        at,
        standing.head if standing else None,
    )
    uow.checkpoints.add(checkpoint, EMPTY)
    return str(checkpoint.id)


def _ids(store: Store) -> list[str]:
    return store.read(lambda uow: [str(each.id) for each in uow.checkpoints.find(_ALL)])


def _tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


_ALL = CheckpointFilter()
_SCENARIOS = {
    each.__name__: each
    for each in (
        child_works_beside_its_parent,
        parent_closes_before_its_child,
        daemon_outlives_its_parent,
        child_ends_after_somebody_crashed,
        save_and_crash,
        fork_amid_a_transaction,
        child_waits_for_its_parents_lock,
    )
}

if __name__ == "__main__":
    _SCENARIOS[sys.argv[1]](Path(sys.argv[2]))
