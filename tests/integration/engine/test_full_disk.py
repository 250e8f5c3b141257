"""A disk that is full while a workflow is carried on: nobody's failure, and nothing is lost.

The limit on the size of files (``RLIMIT_FSIZE``) stands for the disk, in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import holdfast
import pytest

resource = pytest.importorskip("resource", reason="no limits on this system")

PROGRAM = """
import random, resource, signal, sys
import holdfast

app = holdfast.Registry()

@app.handler("h")
def carry(run):
    run.step("before", lambda: 1)
    big = random.Random(7).randbytes(1_500_000).hex()
    run.checkpoint(name="big", state={"big": big})
    return "done"

path, limit = sys.argv[1], int(sys.argv[2])
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
with holdfast.open(path, registry=app, settings={"write_timeout": 0.2}) as engine:
    try:
        print(engine.recover("w").output)
    except holdfast.StorageUnavailable as trouble:
        print("trouble:", trouble)
"""


def recover(store: Path, limit: int = 0) -> str:
    command = [sys.executable, "-c", PROGRAM, str(store), str(limit)]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()


def test_recover_when_the_disk_is_full_then_told_and_with_room_again_it_finishes(
    store: Path,
) -> None:
    with holdfast.open(store) as engine:
        run = engine.run("w", handler="h", state={"n": 1})
        run.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)

    told = recover(store, limit=1_000_000)

    assert told.startswith("trouble:")
    assert str(store) in told
    with holdfast.open(store) as engine:
        # What was acknowledged is there, and no retry is used up.
        assert engine.context("w").outputs == {"before": 1}
        assert engine.context("w").workflow_state == {"n": 1}
        assert engine.get("w@1").retry_count == 0
        assert engine.attempts("w")[1].outcome is holdfast.Outcome.STORE_TROUBLE
        assert [each.workflow_id for each in engine.stale()] == ["w"]

    assert recover(store) == "done"
    with holdfast.open(store) as engine:
        assert engine.get("w@1").status == "completed"
        assert len(engine.attempts("w")) == 3
