"""The disk gives trouble while eight threads share commits: each learns what became of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import RunProgram
from .sharing import SAVES, THREADS


@pytest.mark.parametrize("cases", [12, pytest.param(600, marks=pytest.mark.deep)])
def test_saves_when_a_shared_commit_meets_trouble_then_each_caller_is_told_what_is_true(
    room: Path, kind: str, run_program: RunProgram, cases: int
) -> None:
    counts = json.loads(run_program("sharing", kind, room, cases))

    print(f"{kind}: {counts}")
    assert counts["cases"] == cases
    told = counts["saved"] + counts.get("not written", 0) + counts.get("unknown", 0)
    assert told == cases * THREADS * SAVES
    assert counts["saved"] < told
