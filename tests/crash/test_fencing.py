"""Who was thought dead and wakes up is fenced off. Real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import holdfast
import pytest

Spawn = Callable[..., "subprocess.Popen[str]"]

LEASE = 1.0


def _await_held(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n", process.stderr and process.stderr.read()


def _take_over(engine: holdfast.Engine, workflow: str) -> holdfast.Run:
    """Take the workflow as soon as its lease has run out."""
    for _ in range(600):
        try:
            return engine.run(workflow)
        except holdfast.LeaseHeld:
            threading.Event().wait(0.05)
    raise AssertionError("the lease did not run out")


def test_two_processes_when_they_want_one_workflow_then_the_second_is_told_who_has_it(
    spawn: Spawn, store: str
) -> None:
    first = spawn("sleeper.py", store, "wf", 60, "hold")
    _await_held(first)
    with holdfast.open(store) as engine:
        with pytest.raises(holdfast.LeaseHeld) as refused:
            engine.run("wf")
        since = engine.attempts("wf")[0].begun_at
    assert f"process {first.pid} on " in refused.value.owner
    assert (refused.value.epoch, refused.value.since) == (1, since)
    assert str(first.pid) in str(refused.value)
    assert since.isoformat() in str(refused.value)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP on this system")
def test_process_when_stopped_beyond_its_lease_then_each_of_its_writes_is_fenced(
    spawn: Spawn, store: str
) -> None:
    ways = ["checkpoint", "complete", "fail", "heartbeat", "step"]
    holdfast.open(store).close()
    sleepers = {way: spawn("sleeper.py", store, way, LEASE, way) for way in ways}
    for sleeper in sleepers.values():
        _await_held(sleeper)
        sleeper.send_signal(signal.SIGSTOP)

    with holdfast.open(store) as engine:
        for way in ways:
            with _take_over(engine, way) as run:
                run.checkpoint(name="by the living", state={"zombie": False})
        before = {way: engine.list(way, limit=None) for way in ways}
        contexts = {way: engine.context(way).to_dict() for way in ways}

        for way, sleeper in sleepers.items():
            sleeper.send_signal(signal.SIGCONT)
            output, errors = sleeper.communicate("wake up\n", timeout=60)
            assert output.startswith("Fenced: "), (way, output, errors)

        for way in ways:
            after = engine.list(way, limit=None)
            assert [each.id for each in after] == [each.id for each in before[way]], way
            assert engine.get(f"{way}@1").status == "completed"
            assert engine.context(way).to_dict() == contexts[way]
            outcomes = [each.outcome for each in engine.attempts(way)]
            assert outcomes == ["died", "completed"], way


def test_owner_when_it_died_then_its_workflow_is_free_at_once(spawn: Spawn, store: str) -> None:
    owner = spawn("sleeper.py", store, "wf", 3600, "hold")
    _await_held(owner)
    owner.kill()
    owner.wait()
    with holdfast.open(store) as engine:
        (stale,) = engine.stale()
        with engine.run("wf") as run:
            assert run.epoch == 2
    assert (stale.because, stale.owner and stale.owner.pid) == ("its owner is gone", owner.pid)


def test_owner_when_it_is_a_zombie_then_its_workflow_is_free_at_once(
    spawn: Spawn, store: str
) -> None:
    owner = spawn("sleeper.py", store, "wf", 3600, "hold")
    _await_held(owner)
    owner.kill()
    os.waitid(os.P_PID, owner.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet buried
    assert _state_of(owner.pid) == "Z"
    with holdfast.open(store) as engine, engine.run("wf") as run:
        assert run.epoch == 2


def test_owner_when_its_pid_was_given_to_another_process_then_it_is_gone(
    spawn: Spawn, store: str, tmp_path: Path
) -> None:
    # The pid of the lease is alive; the process that has it now was started at another time.
    other = spawn("sleeper.py", tmp_path / "other.db", "wf", 3600, "hold")
    _await_held(other)
    script = (
        "import os, sys, dataclasses, holdfast\n"
        "from holdfast.infrastructure.host import LocalHost\n"
        "engine = holdfast.open(sys.argv[1])\n"
        "host = engine._kernel.env.host\n"
        "host._owner = dataclasses.replace(host.owner(), started=host.owner().started - 1)\n"
        "pid = int(sys.argv[2])\n"
        "host.owner = lambda: dataclasses.replace(host._owner, pid=pid)\n"
        "engine.run('wf', lease=3600)\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script, store, str(other.pid)], check=True)
    with holdfast.open(store) as engine:
        (stale,) = engine.stale()
        assert stale.owner is not None
        assert stale.owner.pid == other.pid
        with engine.run("wf") as run:
            assert run.epoch == 2


def test_owner_when_in_another_pid_namespace_then_it_counts_as_alive(
    spawn: Spawn, store: str
) -> None:
    if subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode:
        pytest.skip("unshare --pid is not allowed here: it needs root, or user namespaces")
    program = Path(__file__).parent / "programs" / "sleeper.py"
    owner = subprocess.Popen(
        ["unshare", "--pid", "--fork", "--kill-child", sys.executable]
        + [str(each) for each in (program, store, "wf", 3600, "hold")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _await_held(owner)
        with holdfast.open(store) as engine:
            # Its pid is 1 or 2 in there; here that is somebody else, or nobody.
            with pytest.raises(holdfast.LeaseHeld):
                engine.run("wf")
            assert engine.stale() == []
    finally:
        owner.kill()
        owner.communicate()


def _state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
