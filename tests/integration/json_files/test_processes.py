"""Several processes on one store: real ones, killed ones, forked ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import holdfast
import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.errors import StoreBusy
from holdfast.domain.ports import UnitOfWork
from holdfast.infrastructure.json_files.store import JsonFileStore

OpenStore = Callable[..., JsonFileStore]
Save = Callable[..., Checkpoint]


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP on this system")
def test_write_when_another_process_holds_the_lock_then_it_is_told_and_goes_on_after(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    store = open_store(folder, write_timeout=0.3)
    program = (
        "import sys\n"
        "from filelock import FileLock\n"
        "with FileLock(sys.argv[1]):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(folder / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"

    with pytest.raises(StoreBusy, match=r"another process: a doctor or a backup.*write_timeout"):
        save(store)
    with pytest.raises(StoreBusy, match="another process"):
        store.read(lambda uow: uow.checkpoints.standing("wf"))

    holder.kill()  # and the system lets go of its lock
    holder.communicate()
    assert str(save(store).id) == "wf@1"


def test_lock_when_taken_away_while_held_then_nothing_is_written_under_it(
    folder: Path, open_store: OpenStore, put: Save, save: Save
) -> None:
    store = open_store(folder)
    runs = []

    def work(uow: UnitOfWork) -> Checkpoint:
        saved = put(uow)
        runs.append(saved)
        if len(runs) == 1:
            (folder / "lock").unlink()
            (folder / "lock").touch()  # as somebody else would make it
        return saved

    assert str(store.write(work).id) == "wf@1"

    assert len(runs) == 2
    assert str(save(store).id) == "wf@2"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_fork_when_threads_write_then_both_processes_go_their_own_way(folder: Path) -> None:
    program = (
        "import os, sys, threading, holdfast\n"
        "engine = holdfast.open(sys.argv[1])\n"
        "stop = threading.Event()\n"
        "def write():\n"
        "    while not stop.is_set():\n"
        "        engine.checkpoint('threads')\n"
        "threads = [threading.Thread(target=write) for _ in range(3)]\n"
        "for each in threads: each.start()\n"
        "for number in range(5):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        engine.checkpoint('children', name=str(number))\n"
        "        os._exit(0)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    engine.checkpoint('parent', name=str(number))\n"
        "stop.set()\n"
        "for each in threads: each.join()\n"
        "engine.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, f"json:{folder}"],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    with holdfast.open(f"json:{folder}") as engine:
        names = [each.name for each in engine.list("children")]
        assert sorted(name or "" for name in names) == ["0", "1", "2", "3", "4"]
        assert len(engine.list("parent")) == 5
        numbers = [each.number for each in engine.events(limit=100_000)]
        assert numbers == list(range(1, len(numbers) + 1))
