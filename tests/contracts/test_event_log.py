"""What every event log promises."""

from __future__ import annotations

import pytest
from holdfast.domain.ports import Store
from holdfast.testing.contracts.event_log import EventLogContract


class TestSqliteEventLog(EventLogContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return sqlite_store


class TestJsonFileEventLog(EventLogContract):
    @pytest.fixture
    def store(self, json_store: Store) -> Store:
        return json_store


class TestMemoryEventLog(EventLogContract):
    @pytest.fixture
    def store(self, memory_store: Store) -> Store:
        return memory_store
