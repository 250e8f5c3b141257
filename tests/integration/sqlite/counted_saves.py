"""Writes alone and together, and counts its syncs; a program of its own, with a library preloaded.

Called with the path of a store; prints how many syncs each way took, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.moment import from_microseconds
from holdfast.domain.payload import JsonText, Payload
from holdfast.domain.ports import UnitOfWork
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite.store import SqliteStore

_THREADS = 8


def _main(path: Path) -> None:
    store = SqliteStore.open(path, JsonCodec())
    store.write(_put)  # the first one after opening starts the -wal anew
    counts = {
        "alone": _syncs_of(lambda: [store.write(_put) for _ in range(10)]),
        "each": _syncs_of(lambda: store.write_each([_put] * 50)),
        "threads": _syncs_of(lambda: _in_threads(store)),
        "reading": _syncs_of(lambda: store.read(lambda uow: uow.checkpoints.standing("wf"))),
    }
    print(json.dumps(counts))
    store.close()


def _in_threads(store: SqliteStore) -> None:
    """Let threads queue behind one that writes: two transactions."""
    inside, go = threading.Event(), threading.Event()

    def hold(uow: UnitOfWork) -> None:
        _put(uow)
        inside.set()
        go.wait()

    threads = [threading.Thread(target=store.write, args=(hold,))]
    threads[0].start()
    inside.wait()
    for count in range(1, _THREADS + 1):
        threads.append(threading.Thread(target=store.write, args=(_put,)))
        threads[-1].start()
        while len(store._queue._queue) < count:
            threads[-1].join(0.0005)
    go.set()
    for thread in threads:
        thread.join()


def _syncs_of(do: Callable[[], object]) -> int:
    before = _syncs()
    do()
    return _syncs() - before


def _syncs() -> int:
    return Path(os.environ["SYNCS_FILE"]).stat().st_size


def _put(uow: UnitOfWork) -> None:
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
    uow.checkpoints.add(checkpoint, Payload(state=JsonText(b'{"n":1}')))


_main(Path(sys.argv[1]))
