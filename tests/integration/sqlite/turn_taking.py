"""A process among others that write to one store; a program of its own.

Called with what to do and the path of a store.

- ``write N``: opens, says so, waits for a line; saves N times; prints the sequences and its longest
  wait in seconds as JSON.
- ``gate``: takes the gate and keeps it, says so, and waits for a line.
"""

from __future__ import annotations

import json
import sys
import time
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
from holdfast.infrastructure.sqlite.turns import Turns


def _write(path: Path, times: int) -> None:
    store = SqliteStore.open(path, JsonCodec(), durability="process")
    _say("ready")
    sys.stdin.readline()
    sequences, longest = [], 0.0
    for number in range(times):
        begun = time.monotonic()
        sequences.append(store.write(lambda uow, number=number: _put(uow, number)))  # type: ignore[misc]
        longest = max(longest, time.monotonic() - begun)
    _say(json.dumps({"sequences": sequences, "longest": longest}))
    store.close()


def _gate(path: Path) -> None:
    turns = Turns(path)
    assert turns.wait()
    _say("ready")
    sys.stdin.readline()


def _put(uow: UnitOfWork, number: int) -> int:
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
    state = b'{"text":"%s","n":%d}' % (b"kept as it is " * 200, number)
    uow.checkpoints.add(checkpoint, Payload(state=JsonText(state)))
    return checkpoint.id.sequence


def _say(line: str) -> None:
    print(line, flush=True)


if sys.argv[1] == "gate":
    _gate(Path(sys.argv[2]))
else:
    _write(Path(sys.argv[2]), int(sys.argv[3]))
