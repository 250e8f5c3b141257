"""EIO and a full disk at the nth write, sync and change of a name, for every n: once, and lasting.

Each call goes through, or is refused with `StorageUnavailable`, and what was said of it is true: no
acknowledged write is lost, none that was reported as not written is there, none is there in part.
The workflow is not failed by it, and in the same process work goes on when the trouble ends.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import RunProgram

SHARES = {"sqlite": 0.1, "json": 0.015}
ALL = {"sqlite": 1.0, "json": 1.0}


@pytest.mark.parametrize(
    ("shares", "least"),
    [
        pytest.param(SHARES, 40, id="sample"),
        pytest.param(ALL, 800, marks=pytest.mark.deep, id="all"),
    ],
)
def test_disk_when_any_step_fails_then_each_call_comes_to_what_is_said_of_it_and_work_goes_on(
    room: Path, kind: str, run_program: RunProgram, shares: dict[str, float], least: int
) -> None:
    counts = json.loads(run_program("faulting", kind, room, shares[kind]))

    print(f"{kind}: {counts}")
    assert counts["troubles"] >= least
    assert counts["done"] > counts["not written"] > 0
