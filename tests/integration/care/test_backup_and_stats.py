"""`engine.backup` and `engine.stats`."""

from __future__ import annotations

import stat
from pathlib import Path

import holdfast
import pytest


def test_backup_when_made_then_it_opens_and_holds_the_same(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with holdfast.open(path) as engine:
        engine.checkpoint("late", state={"a": 1})  # in the -wal still
        engine.backup(copy)
        wanted = [each.id for each in engine.list(limit=None)]

    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.glob("copy*")) == ["copy.db"]
    with holdfast.open(copy) as engine:
        assert [each.id for each in engine.list(limit=None)] == wanted
        assert engine.verify().intact


def test_backup_when_something_is_there_then_it_is_refused_and_kept(
    path: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    there.write_text("mine")

    with holdfast.open(path) as engine, pytest.raises(holdfast.TargetExists, match="there"):
        engine.backup(there)

    assert there.read_text() == "mine"


def test_backup_when_the_folder_is_missing_then_it_says_so(path: Path, tmp_path: Path) -> None:
    with (
        holdfast.open(path) as engine,
        pytest.raises(holdfast.StorageUnavailable, match="cannot be written"),
    ):
        engine.backup(tmp_path / "no" / "copy.db")


def test_backup_when_in_memory_then_it_is_refused(tmp_path: Path) -> None:
    with holdfast.open("memory:") as engine, pytest.raises(holdfast.InvalidRequest):
        engine.backup(tmp_path / "copy.db")


def test_stats_when_asked_then_they_count_what_is_there(path: Path) -> None:
    with holdfast.open(path) as engine:
        found = engine.stats()

    assert found.workflows == 4
    assert found.statuses == {"active": 1, "completed": 1, "failed": 1, "record": 1}
    assert found.checkpoints > 100
    assert found.attempts == 2
    assert found.size >= path.stat().st_size > found.free
