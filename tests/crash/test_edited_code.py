"""Code that was edited between the crash and the recovery."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.mark.parametrize(
    ("edition", "result", "ran"),
    [
        ("comment", "[1, 2, 3]", ["three"]),
        ("before", "[0, 1, 2, 3]", ["zero", "three"]),
        ("swapped", "[1, 2, 3]", ["three"]),
        ("removed", "[2, 4]", ["four"]),
    ],
)
def test_run_when_its_code_was_edited_after_a_kill_then_it_is_carried_on(
    spawn: Spawn, tmp_path: Path, store: str, edition: str, result: str, ran: list[str]
) -> None:
    ledger = tmp_path / "ledger.txt"
    first = spawn("edited.py", store, ledger, "first")
    assert first.stdout is not None
    assert first.stdout.readline() == "hanging\n"
    first.kill()
    first.communicate()

    output, errors = spawn("edited.py", store, ledger, edition).communicate(timeout=60)

    assert output == f"{result}\n", errors
    assert ledger.read_text().split() == ["one", "two", "three", *ran]
