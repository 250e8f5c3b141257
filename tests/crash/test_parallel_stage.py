"""A parallel stage with eight workers, killed in the middle."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import holdfast

Spawn = Callable[..., "subprocess.Popen[str]"]


def test_parallel_stage_when_killed_then_one_chain_and_only_the_unfinished_run_again(
    spawn: Spawn, tmp_path: Path, store: str
) -> None:
    ledger = tmp_path / "ledger.txt"
    first = spawn("eight.py", store, ledger, "start")
    assert first.stdout is not None
    assert first.stdout.readline() == "four are done and four are running\n"
    first.kill()
    first.communicate()

    with holdfast.open(store) as engine:
        checkpoints = engine.list("eight", limit=None)
        context = engine.context("eight")
        chain = [each.sequence for each in context.chain]
    assert chain == [each.id.sequence for each in checkpoints], "one chain holds everything"
    assert {key: context.outputs[key] for key in context.outputs if "/" in key} == {
        f"eight/{number}": number * number for number in range(4)
    }
    assert context.agents == {("eight", str(number)): {"mine": number} for number in range(8)}, (
        "no state of one agent is in another's"
    )
    assert {str(each.scope) for each in context.interrupted} == {
        "eight",
        "eight/eight",
        *(f"eight/eight/{number}" for number in range(4, 8)),
    }

    second = spawn("eight.py", store, ledger, "recover")
    output, errors = second.communicate(timeout=60)
    assert output == "[0, 1, 4, 9, 16, 25, 36, 49]\n", errors
    runs = ledger.read_text().split()
    assert sorted(runs) == sorted([*map(str, range(8)), *map(str, range(4, 8))])
    with holdfast.open(store) as engine:
        events = engine.events(workflow="eight")
        retried = [each for each in events if each.kind == "resumed" and each.checkpoint_id]
        openings = [each for each in retried if each.checkpoint_id.scope.kind == "workflow"]  # type: ignore[union-attr]
        assert len(openings) == 1, "one retry is counted and not eight"
        assert [each.outcome for each in engine.attempts("eight")] == ["died", "completed"]
