"""Two processes that recover one workflow at the same time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import holdfast

Spawn = Callable[..., "subprocess.Popen[str]"]
PROGRAM = Path(__file__).parent / "programs"


def test_two_recoverers_when_they_start_together_then_the_second_repeats_nothing(
    spawn: Spawn, tmp_path: Path, store: str
) -> None:
    ledger = tmp_path / "ledger.txt"
    dead = spawn("edited.py", store, ledger, "first")
    assert dead.stdout is not None
    dead.stdout.readline()
    dead.kill()
    dead.communicate()
    before = ledger.read_text().split()

    environment = os.environ | {"LEDGER": str(ledger), "PYTHONPATH": str(PROGRAM)}
    command = [sys.executable, "-m", "holdfast", "--store", store, "--json"]
    command += ["--app", "slow_handler:app", "recover", "wf"]
    both = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(2)
    ]
    # The winner's handler waits for a line on its standard input; the loser ends by itself.
    ends = [each.communicate("go on\n", timeout=60) for each in both]

    codes = sorted(each.returncode for each in both)
    assert codes == [0, 4], ends
    winner = next(end for each, end in zip(both, ends, strict=True) if each.returncode == 0)
    loser = next(end for each, end in zip(both, ends, strict=True) if each.returncode == 4)
    assert json.loads(winner[0])["success"] is True
    assert loser[0] == ""
    assert "wf cannot be recovered now: " in loser[1]
    assert ledger.read_text().split() == [*before, "handler"], "the handler ran once"
    with holdfast.open(store) as engine:
        assert [each.outcome for each in engine.attempts("wf")] == ["died", "completed"]
