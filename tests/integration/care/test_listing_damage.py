"""Lists go past what is damaged, and say so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import holdfast
import pytest

Behind = Callable[..., list[Any]]

LISTS: dict[str, Callable[[holdfast.Engine], list[Any]]] = {
    "list": lambda engine: engine.list(limit=None),
    "events": lambda engine: engine.events(limit=10_000),
}
FLIGHT = "workflow = (SELECT id FROM workflows WHERE workflow_id = 'flight')"


@pytest.mark.parametrize("how", LISTS)
@pytest.mark.parametrize("change", ["error = 'x'", "type = CAST(x'80' AS TEXT)"])
def test_list_when_a_row_is_damaged_then_the_others_are_listed_with_a_warning(
    path: Path, behind: Behind, how: str, change: str
) -> None:
    with holdfast.open(path) as engine:
        before = LISTS[how](engine)
    behind(f"UPDATE checkpoints SET {change} WHERE sequence = 30 AND {FLIGHT}")  # noqa: S608

    with holdfast.open(path) as engine:
        with pytest.warns(holdfast.DamagedWarning, match="flight@30"):
            after = LISTS[how](engine)
        with pytest.raises(holdfast.CheckpointCorrupted):
            engine.get("flight@30")

    assert len(after) == len(before) - 1


@pytest.mark.parametrize(
    "change",
    ["workflow_id = 'fligh'", "workflow_id = CAST(x'80' AS TEXT)", "sequence_floor = 9"],
)
def test_workflows_and_stale_when_a_record_is_damaged_then_the_others_are_listed(
    path: Path, behind: Behind, change: str
) -> None:
    behind(f"UPDATE workflows SET {change} WHERE workflow_id = 'flight'")  # noqa: S608

    with holdfast.open(path) as engine:
        with pytest.warns(holdfast.DamagedWarning):
            found = engine.workflows()
        with pytest.warns(holdfast.DamagedWarning):
            engine.stale()

    assert {each.workflow_id for each in found} == {"done", "failed", "record"}


def test_list_command_when_a_row_is_damaged_then_it_says_so_and_ends_with_5(
    path: Path, behind: Behind
) -> None:
    behind(f"UPDATE checkpoints SET error = 'x' WHERE sequence = 30 AND {FLIGHT}")  # noqa: S608

    command = [sys.executable, "-m", "holdfast", "--store", str(path), "--json", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 5
    assert "flight@30" in done.stderr
    assert '"id": "flight@30"' not in done.stdout
    assert '"id": "flight@31"' in done.stdout
