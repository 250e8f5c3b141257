"""Processes and threads side by side on one store, of each kind: real ones, real files."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import holdfast
import pytest

PROGRAMS = Path(__file__).parent / "programs"
PATIENCE = 240

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(params=["sqlite", "json"])
def target(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the target of a store that is not there yet."""
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(dir=base) as folder:
        yield f"json:{folder}/store" if request.param == "json" else f"{folder}/store.db"


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a program of this folder, and wait until it is ready."""
    started: list[subprocess.Popen[str]] = []

    def start_one(program: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAMS / program), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def _let_go(processes: list[subprocess.Popen[str]]) -> None:
    for each in processes:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()


def _outputs(processes: list[subprocess.Popen[str]]) -> list[list[str]]:
    outputs = []
    for each in processes:
        output, errors = each.communicate(timeout=PATIENCE)
        assert each.returncode == 0, errors
        outputs.append(output.splitlines())
    return outputs


@pytest.mark.parametrize(
    ("processes", "each"), [(4, 12), (8, 8), pytest.param(8, 500, marks=pytest.mark.deep)]
)
def test_store_when_processes_open_and_write_at_once_then_no_number_is_twice_and_none_is_lost(
    target: str, start: Start, processes: int, each: int
) -> None:
    """Nobody has made the store before: that is also the first opening, eight at once."""
    running = [
        start("writing.py", target, "wf" if number % 2 else "own", each)
        for number in range(processes)
    ]
    _let_go(running)
    outputs = _outputs(running)

    acknowledged = [line for lines in outputs for line in lines[:-1]]
    assert len(set(acknowledged)) == processes * each
    longest = [float(lines[-1].removeprefix("longest ")) for lines in outputs]
    assert max(longest) < 15, "somebody was starved"
    with holdfast.open(target) as engine:
        assert {str(found.id) for found in engine.list(limit=None)} == set(acknowledged)
        numbers = [event.number for event in engine.events(limit=100_000)]
        assert numbers == list(range(1, processes * each + 1))
        assert len(engine.context("wf").chain) == processes // 2 * each
        assert engine.verify().intact


@pytest.mark.parametrize("processes", [4, pytest.param(8, marks=pytest.mark.deep)])
def test_lease_when_processes_take_it_in_turn_then_no_epoch_has_two_owners(
    target: str, start: Start, processes: int
) -> None:
    running = [start("taking.py", target, 3) for _ in range(processes)]
    _let_go(running)

    epochs = [int(line) for lines in _outputs(running) for line in lines]

    assert sorted(epochs) == list(range(1, processes * 3 + 1))
    with holdfast.open(target) as engine:
        written = [
            event.epoch for event in engine.events(limit=10_000) if event.kind.value == "created"
        ]
        assert written == sorted(written), "nobody wrote when a newer epoch was there"


def test_store_when_processes_are_killed_while_writing_then_everything_acknowledged_is_there(
    target: str, start: Start
) -> None:
    acknowledged: list[str] = []
    holdfast.open(target).close()
    for after in (1, 7, 12, 20):
        worker = start("writing.py", target, "wf", 100_000)
        _let_go([worker])
        assert worker.stdout is not None
        acknowledged += [worker.stdout.readline().strip() for _ in range(after)]
        worker.kill()
        rest, _ = worker.communicate()
        acknowledged += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]

    with holdfast.open(target) as engine:
        found = [str(each.id) for each in engine.list("wf", limit=None)]
        assert {each.strip() for each in acknowledged} <= set(found)
        assert len(engine.context("wf").chain) == len(found)
        numbers = [each.number for each in engine.events(limit=100_000)]
        assert numbers == list(range(1, len(found) + 1))


def test_threads_when_two_engines_share_a_store_then_all_is_written(target: str) -> None:
    engines = [holdfast.open(target) for _ in range(2)]
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
    assert len(engines[1].context("wf").chain) == 40
    for engine in engines:
        engine.close()
