"""What every lease store promises."""

from __future__ import annotations

import pytest
from holdfast.domain.ports import Store
from holdfast.testing.contracts.lease_store import LeaseStoreContract


class TestSqliteLeaseStore(LeaseStoreContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return sqlite_store


class TestJsonFileLeaseStore(LeaseStoreContract):
    @pytest.fixture
    def store(self, json_store: Store) -> Store:
        return json_store


class TestMemoryLeaseStore(LeaseStoreContract):
    @pytest.fixture
    def store(self, memory_store: Store) -> Store:
        return memory_store
