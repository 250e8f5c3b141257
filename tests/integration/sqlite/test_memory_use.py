"""How much memory saving what is large, and listing what is long, takes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.ports import UnitOfWork
from holdfast.infrastructure.sqlite.store import SqliteStore

from .conftest import HERE, put_checkpoint

OpenStore = Callable[..., SqliteStore]

pytest.importorskip("resource", reason="this system does not tell how much memory a process took")


def test_save_when_the_state_is_ten_megabytes_then_it_takes_five_times_that_at_the_most(
    path: Path,
) -> None:
    told = _measured("save", path)

    assert told["size"] > 9_000_000
    # Each over the peak that the ones before it left.
    assert told["first"] + told["second"] + told["third"] <= 5 * told["size"], told


@pytest.mark.parametrize("count", [10_000, pytest.param(100_000, marks=pytest.mark.deep)])
def test_find_when_there_are_very_many_then_the_memory_that_it_takes_is_flat(
    path: Path, open_store: OpenStore, count: int
) -> None:
    store = open_store(path, durability="process")
    for _ in range(count // 5000):
        store.write(
            lambda uow: [put_checkpoint(uow, "wf", patch={"n": 1}) for _ in range(5000)][:0]
        )
    store.close()

    told = _measured("list", path)

    assert told["count"] == count
    assert told["grown"] < 3_000_000, "a list of them would be ten times that"


def _put_many(uow: UnitOfWork) -> None:
    for _ in range(5000):
        put_checkpoint(uow, "wf", patch={"n": 1})


def _measured(what: str, path: Path) -> Any:
    done = subprocess.run(
        [sys.executable, str(HERE / "measured_memory.py"), what, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)
