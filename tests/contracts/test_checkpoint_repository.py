"""What every checkpoint repository promises."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.ports import Store
from holdfast.infrastructure.memory import MemoryStore
from holdfast.testing.contracts.checkpoint_repository import CheckpointRepositoryContract


class TestSqliteCheckpointRepository(CheckpointRepositoryContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return sqlite_store

    def forget(self, store: Store, checkpoint_id: CheckpointId) -> None:
        with closing(sqlite3.connect(store.target, isolation_level=None)) as raw:
            deleted = raw.execute(
                "DELETE FROM checkpoints WHERE sequence = ? AND workflow = "
                "(SELECT id FROM workflows WHERE workflow_id = ?)",
                (checkpoint_id.sequence, checkpoint_id.workflow_id),
            )
            assert deleted.rowcount == 1


class TestJsonFileCheckpointRepository(CheckpointRepositoryContract):
    @pytest.fixture
    def store(self, json_store: Store) -> Store:
        return json_store

    def forget(self, store: Store, checkpoint_id: CheckpointId) -> None:
        folder = Path(store.target.removeprefix("json:"))
        (file,) = folder.glob(f"workflows/*/*/@*xxx/**/{checkpoint_id.path.name}.*.json")
        file.unlink()


class TestMemoryCheckpointRepository(CheckpointRepositoryContract):
    @pytest.fixture
    def store(self, memory_store: MemoryStore) -> Store:
        return memory_store

    def forget(self, store: Store, checkpoint_id: CheckpointId) -> None:
        assert isinstance(store, MemoryStore)
        del store.tables.checkpoints[checkpoint_id.workflow_id][checkpoint_id.sequence]
