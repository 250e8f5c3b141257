"""A fork amid the use of a store: nobody loses what was acknowledged.

SQLite's own account of its locks is copied by a fork, the locks themselves are not: a connection
made in the child relies on locks that only the parent has, as long as anything of the parent's is
left open in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.ports import Store
from holdfast.infrastructure.sqlite.store import SqliteStore

IdsIn = Callable[[Store], list[str]]
OpenStore = Callable[..., SqliteStore]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")


def test_writing_when_forked_then_the_child_and_the_parent_both_go_on(
    path: Path, open_store: OpenStore, ids_in: IdsIn
) -> None:
    told = _play("child_works_beside_its_parent", path)

    assert told["acknowledged"] == [f"wf@{n}" for n in range(1, 9)]
    assert told["seen_by_child"] == [f"wf@{n}" for n in range(7, 0, -1)]
    assert told["seen"] == ids_in(open_store(path)) == [f"wf@{n}" for n in range(8, 0, -1)]


def test_writing_when_the_other_side_of_a_fork_has_the_lock_then_it_holds(
    path: Path, open_store: OpenStore, ids_in: IdsIn
) -> None:
    told = _play("child_waits_for_its_parents_lock", path)

    assert told["found"] == "busy"
    assert told["acknowledged"] == ["wf@1", "wf@2", "wf@3"]
    assert ids_in(open_store(path)) == ["wf@3", "wf@2", "wf@1"]


def test_writing_when_forked_amid_a_transaction_of_another_thread_then_both_go_on(
    path: Path, open_store: OpenStore, ids_in: IdsIn
) -> None:
    told = _play("fork_amid_a_transaction", path)

    assert told["acknowledged"] == ["wf@1", "wf@2", "wf@3", "wf@4"]
    assert ids_in(open_store(path)) == ["wf@4", "wf@3", "wf@2", "wf@1"]


@pytest.mark.parametrize(
    "scenario",
    [
        "parent_closes_before_its_child",
        "daemon_outlives_its_parent",
        "child_ends_after_somebody_crashed",
    ],
)
def test_writing_when_one_side_of_a_fork_ends_first_then_nothing_acknowledged_is_lost(
    path: Path, open_store: OpenStore, ids_in: IdsIn, scenario: str
) -> None:
    told = _play(scenario, path)

    kept = ids_in(open_store(path))
    assert len(told["acknowledged"]) >= 4
    assert set(told["acknowledged"]) <= set(kept)


def _play(scenario: str, path: Path) -> Any:
    """Return what the processes of a scenario saw."""
    program = Path(__file__).with_name("forking.py")
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", str(program), scenario, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)
