"""Several processes on one store: real ones, killed ones, forked ones."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
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

WORKER = Path(__file__).parent / "writing_worker.py"


def _start(folder: Path, workflow: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WORKER), f"json:{folder}", workflow, str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("count", [8])
def test_store_when_processes_open_and_write_at_once_then_no_number_comes_twice_and_none_is_lost(
    folder: Path, count: int
) -> None:
    workers = [_start(folder, "wf" if n % 2 else "own", 10) for n in range(count)]
    acknowledged: list[str] = []
    for worker in workers:
        output, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors
        acknowledged += output.splitlines()

    assert len(set(acknowledged)) == count * 10
    with holdfast.open(f"json:{folder}") as engine:
        assert {str(each.id) for each in engine.list(limit=None)} == set(acknowledged)
        numbers = [each.number for each in engine.events(limit=10_000)]
        assert numbers == list(range(1, count * 10 + 1))
        assert len(engine.context("wf").chain) == count // 2 * 10


def test_store_when_processes_are_killed_while_writing_then_everything_acknowledged_is_there(
    folder: Path,
) -> None:
    acknowledged: list[str] = []
    holdfast.open(f"json:{folder}").close()
    for after in (1, 7, 12, 20):
        worker = _start(folder, "wf", 100_000)
        assert worker.stdout is not None
        acknowledged += [worker.stdout.readline().strip() for _ in range(after)]
        worker.kill()
        rest, _ = worker.communicate()
        acknowledged += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]

    with holdfast.open(f"json:{folder}") as engine:
        found = [str(each.id) for each in engine.list("wf", limit=None)]
        assert {each.strip() for each in acknowledged} <= set(found)
        assert len(engine.context("wf").chain) == len(found)
        assert [each.number for each in engine.events(limit=100_000)] == list(
            range(1, len(found) + 1)
        )


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

    with pytest.raises(StoreBusy, match="another process"):
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


def test_threads_when_two_engines_share_a_folder_then_all_is_written(folder: Path) -> None:
    engines = [holdfast.open(f"json:{folder}") for _ in range(2)]
    barrier = threading.Barrier(4)

    def write(engine: holdfast.Engine) -> None:
        barrier.wait()
        for _ in range(10):
            engine.checkpoint("wf")

    threads = [threading.Thread(target=write, args=(engines[n % 2],)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert str(engines[0].latest("wf").id) == "wf@40"
    for engine in engines:
        engine.close()


def test_purge_when_killed_at_random_moments_then_what_is_left_is_whole_and_the_next_finishes(
    folder: Path,
) -> None:
    program = Path(__file__).parents[2] / "crash" / "programs" / "purger.py"
    draw = random.Random()
    with holdfast.open(f"json:{folder}") as engine:
        engine.checkpoint("wf", resume_handler="h", state={"base": "x" * 3000})
        for number in range(90):
            parent = "wf@40" if number == 70 else None
            engine.checkpoint("wf", patch={"n": number, f"k{number % 9}": "y"}, parent=parent)
        contexts = {str(each.id): engine.context(each.id).to_dict() for each in engine.list("wf")}

    for _ in range(4):
        purger = subprocess.Popen(
            [sys.executable, str(program), f"json:{folder}"], stdout=subprocess.PIPE, text=True
        )
        assert purger.stdout is not None
        assert purger.stdout.readline() == "purging\n"
        threading.Event().wait(draw.uniform(0, 0.05))  # wherever that is: each moment must do
        purger.kill()
        purger.communicate()
        with holdfast.open(f"json:{folder}") as engine:
            left = {str(each.id): engine.context(each.id).to_dict() for each in engine.list("wf")}
        for name, context in left.items():
            assert {**context, "chain": None} == {**contexts[name], "chain": None}

    with holdfast.open(f"json:{folder}") as engine:
        engine.purge(keep=10)
        assert len(engine.list("wf")) == 11, "the 10 newest, and the opening"
        assert engine.purge(keep=10).checkpoints == 0
        assert engine.checkpoint("wf").id.sequence > 90
