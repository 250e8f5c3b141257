"""Turns between processes: a courtesy that nobody's stop, end or fork turns into a wait."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.infrastructure.sqlite.store import SqliteStore
from holdfast.infrastructure.sqlite.turns import Turns

from .conftest import HERE, put_checkpoint, save_checkpoint
from .histories import replay_of

OpenStore = Callable[..., SqliteStore]

pytest.importorskip("fcntl", reason="there are no such locks on this system")
# Nothing here takes that long, unless it hangs; in seconds.
LONG = 60.0


@contextmanager
def process(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    program = str(HERE / "turn_taking.py")
    started = subprocess.Popen(
        [sys.executable, program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        yield started
    finally:
        started.kill()
        started.communicate()


@pytest.fixture
def gate(path: Path) -> Path:
    return path.with_name(f"{path.name}-turn")


def test_write_when_whoever_has_the_gate_was_stopped_then_it_waits_a_second_once_and_goes_on(
    path: Path, open_store: OpenStore
) -> None:
    store = open_store(path, durability="process")
    with process("gate", path) as holder:
        os.kill(holder.pid, signal.SIGSTOP)
        waits = [_time_of(store) for _ in range(20)]

        assert 0.9 < waits[0] < 10
        # Not a second each: that would be twenty.
        assert sum(waits[1:]) < 5
        os.kill(holder.pid, signal.SIGCONT)
    assert store._connections.turns.wait(), "the gate moves again"
    assert not store._connections.turns._is_stuck
    store._connections.turns.give()


def test_write_when_the_gate_is_stuck_then_it_keeps_to_its_own_deadline(
    path: Path, open_store: OpenStore
) -> None:
    store = open_store(path, durability="process")
    with process("gate", path):
        begun = time.monotonic()
        store.write(lambda uow: uow.sequences.next("wf"), timeout=0.05)

        assert time.monotonic() - begun < 0.9
    assert not store._connections.turns._is_stuck


def test_write_when_whoever_has_the_gate_was_killed_then_nobody_waits(
    path: Path, open_store: OpenStore
) -> None:
    store = open_store(path, durability="process")
    with process("gate", path) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()

        assert store._connections.turns.wait()
        store._connections.turns.give()
        save_checkpoint(store)
        assert not store._connections.turns._is_stuck


def test_write_when_the_gates_file_is_removed_while_it_is_used_then_it_goes_on(
    path: Path, open_store: OpenStore, gate: Path
) -> None:
    one, two = open_store(path), open_store(path)
    save_checkpoint(one)
    save_checkpoint(two)
    gate.unlink()

    saved = [str(save_checkpoint(store).id) for store in (one, two, one)]

    assert saved == ["wf@3", "wf@4", "wf@5"]
    assert gate.exists()
    # Of the same gate again: whoever has it keeps the other out.
    assert one._connections.turns.wait()
    assert two._connections.turns._open()
    assert not two._connections.turns._try()
    one._connections.turns.give()


def test_write_when_the_gate_cannot_be_made_then_it_does_without(
    path: Path, open_store: OpenStore, gate: Path
) -> None:
    gate.mkdir()
    store = open_store(path)

    assert str(save_checkpoint(store).id) == "wf@1"
    store.close()
    assert gate.is_dir()


def test_write_when_a_link_stands_where_the_gate_would_be_then_it_is_not_followed(
    path: Path, open_store: OpenStore, gate: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    gate.symlink_to(elsewhere)
    store = open_store(path)

    save_checkpoint(store)
    store.close()

    assert not elsewhere.exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_write_when_its_folder_cannot_be_written_then_it_goes_on_without_a_gate(
    path: Path, open_store: OpenStore, gate: Path
) -> None:
    with_log = open_store(path)
    save_checkpoint(with_log)
    gate.unlink()
    store = open_store(path)
    path.parent.chmod(0o500)
    try:
        assert str(save_checkpoint(store).id) == "wf@2"
        assert not gate.exists()
    finally:
        path.parent.chmod(0o700)


def test_close_when_it_is_the_last_then_nothing_of_the_gate_is_left(
    path: Path, open_store: OpenStore
) -> None:
    one, two = open_store(path), open_store(path)
    for store in (one, two, one):
        save_checkpoint(store)
    one.close()
    save_checkpoint(two)
    two.close()

    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_gate_when_made_then_only_its_owner_can_read_it(
    path: Path, open_store: OpenStore, gate: Path
) -> None:
    save_checkpoint(open_store(path))

    assert gate.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_when_a_writer_forked_then_its_child_does_not_keep_the_gate(
    path: Path, open_store: OpenStore
) -> None:
    store = open_store(path, durability="process")
    save_checkpoint(store)
    reading, writing = os.pipe()
    store.before_fork()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.read(reading, 1)  # lives until its parent is done, and never lets go of anything
        os._exit(0)
    store.after_fork_in_parent()
    try:
        save_checkpoint(store)
        other = Turns(path)
        assert other.wait()
        other.give()
        other.close()
        assert not store._connections.turns._is_stuck
    finally:
        os.close(writing)
        os.close(reading)
        os.waitpid(pid, 0)


@pytest.mark.parametrize(
    ("processes", "each"),
    [(2, 60), (4, 40), (8, 20), pytest.param(8, 1500, marks=pytest.mark.deep)],
)
def test_write_when_processes_write_at_once_then_no_sequence_is_twice_and_none_is_lost_or_starved(
    path: Path, open_store: OpenStore, processes: int, each: int
) -> None:
    program = str(HERE / "turn_taking.py")
    running = [
        subprocess.Popen(
            [sys.executable, program, "write", str(path), str(each)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    try:
        for one in running:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in running:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        told: list[Any] = [json.loads(one.communicate(timeout=LONG)[0]) for one in running]
    finally:
        for one in running:
            one.kill()
            one.communicate()

    everything = sorted(sequence for each_ in told for sequence in each_["sequences"])
    assert everything == list(range(1, processes * each + 1))
    # The default of the write timeout is 30 s; SQLite's own lottery comes near it.
    assert max(each_["longest"] for each_ in told) < 15
    store = open_store(path)
    head = CheckpointId("wf", None, None, processes * each)
    chain = store.read(lambda uow: uow.checkpoints.chain(head))
    assert len(chain) == processes * each, "one chain, and nobody beside it"
    assert replay_of(store, head).record(head.scope).state["text"].startswith("kept")


def _time_of(store: SqliteStore) -> float:
    begun = time.monotonic()
    store.write(put_checkpoint)
    return time.monotonic() - begun
