"""What every store promises to who lets old checkpoints go."""

from __future__ import annotations

import pytest
from holdfast.domain.ports import Store
from holdfast.testing.contracts.retention_store import RetentionStoreContract


class TestSqliteRetentionStore(RetentionStoreContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return sqlite_store


class TestJsonFileRetentionStore(RetentionStoreContract):
    @pytest.fixture
    def store(self, json_store: Store) -> Store:
        return json_store


class TestMemoryRetentionStore(RetentionStoreContract):
    @pytest.fixture
    def store(self, memory_store: Store) -> Store:
        return memory_store
