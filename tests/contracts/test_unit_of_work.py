"""What every store and its unit of work promise: whole transactions, views that stand still."""

from __future__ import annotations

import pytest
from holdfast.domain.ports import Store
from holdfast.testing.contracts.unit_of_work import StoreContract


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return sqlite_store


class TestJsonFileStore(StoreContract):
    @pytest.fixture
    def store(self, json_store: Store) -> Store:
        return json_store


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self, memory_store: Store) -> Store:
        return memory_store
