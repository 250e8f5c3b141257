"""What every attempt log promises."""

from __future__ import annotations

import pytest
from holdfast.domain.ports import Store
from holdfast.testing.contracts.attempt_log import AttemptLogContract


class TestSqliteAttemptLog(AttemptLogContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return sqlite_store


class TestJsonFileAttemptLog(AttemptLogContract):
    @pytest.fixture
    def store(self, json_store: Store) -> Store:
        return json_store


class TestMemoryAttemptLog(AttemptLogContract):
    @pytest.fixture
    def store(self, memory_store: Store) -> Store:
        return memory_store
