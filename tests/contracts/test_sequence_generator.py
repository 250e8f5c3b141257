"""What every sequence generator promises."""

from __future__ import annotations

import pytest
from holdfast.domain.ports import Store
from holdfast.testing.contracts.sequence_generator import SequenceGeneratorContract


class TestSqliteSequences(SequenceGeneratorContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return sqlite_store


class TestJsonFileSequences(SequenceGeneratorContract):
    @pytest.fixture
    def store(self, json_store: Store) -> Store:
        return json_store


class TestMemorySequences(SequenceGeneratorContract):
    @pytest.fixture
    def store(self, memory_store: Store) -> Store:
        return memory_store
