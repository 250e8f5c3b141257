"""The switch that turns group commit off, which two rows depend on."""

from __future__ import annotations

from pathlib import Path

import holdfast
from holdfast.infrastructure.sqlite.store import SqliteStore

from .interleave import Absent
from .sides.ungrouped import open_ungrouped


def test_engine_when_opened_without_group_commit_then_its_store_is_and_others_are_not(
    tmp_path: Path,
) -> None:
    alone = open_ungrouped(tmp_path / "alone.db")
    assert not isinstance(alone, Absent), "the store has another name for its switch now"

    with alone, holdfast.open(tmp_path / "ours.db") as ours:
        alone.checkpoint("run", state={"a": 1})
        stores = [engine._kernel.store for engine in (alone, ours)]

    assert [isinstance(store, SqliteStore) and store._together for store in stores] == [False, True]
