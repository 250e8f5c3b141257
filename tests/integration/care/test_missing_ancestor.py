"""Recovery goes past a checkpoint that is missing, to the newest ancestor that is intact."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import holdfast
import pytest

Behind = Callable[..., list[Any]]

FLIGHT = "workflow = (SELECT id FROM workflows WHERE workflow_id = 'flight')"


def test_recover_when_a_row_in_the_middle_is_missing_then_it_falls_back_to_what_is_before_it(
    path: Path, behind: Behind
) -> None:
    behind("DELETE FROM keyframes")
    behind(f"DELETE FROM checkpoints WHERE sequence = 50 AND {FLIGHT}")  # noqa: S608
    app = holdfast.Registry()

    @app.handler("crew")
    def crew(run: holdfast.Run) -> Any:
        return run.state["n"]

    with holdfast.open(path, registry=app) as engine:
        result = engine.recover("flight", force=True)

    assert result.success
    assert result.output == 47
    assert str(result.fell_back_from) == "flight@101"


@pytest.mark.parametrize("target", ["sqlite", "json"])
def test_recover_when_a_branched_workflow_misses_a_row_then_it_falls_back_to_an_ancestor_only(
    tmp_path: Path, target: str
) -> None:
    """The row before the missing one may be of a branch that was left behind."""
    store = tmp_path / "store.db" if target == "sqlite" else f"json:{tmp_path / 'store'}"
    with holdfast.open(store) as engine:
        engine.checkpoint("w", type="workflow_start", resume_handler="h", state={"n": 1})
        for n in range(2, 50):
            engine.checkpoint("w", state={"n": n})
        engine.checkpoint("w", state={"n": "left behind"}, parent="w@40")
        fork = engine.checkpoint("w", state={"n": "lost"}, parent="w@40")
        engine.checkpoint("w", patch={"m": 1}, parent=fork.id)
    if target == "sqlite":
        with closing(connect(store, isolation_level=None)) as raw:
            raw.execute("DELETE FROM checkpoints WHERE sequence = 51")
    else:
        next((tmp_path / "store").glob("workflows/*/w/@*/@000000000051.*")).unlink()
    app = holdfast.Registry()
    app.handler("h")(lambda run: run.state["n"])

    with holdfast.open(store, registry=app) as engine:
        result = engine.recover("w", force=True)

    assert result.output == (40 if target == "json" else 32), "of SQLite the nearest keyframe"
