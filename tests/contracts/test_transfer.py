"""What every store promises to whoever moves the whole of it."""

from __future__ import annotations

import pytest
from holdfast.domain.ports import UnitOfWork
from holdfast.infrastructure.json_files.store import JsonFileStore
from holdfast.infrastructure.memory import MemoryStore
from holdfast.infrastructure.sqlite.store import SqliteStore
from holdfast.testing.contracts.transfer import Save, TransferContract


class TestMemoryTransfer(TransferContract):
    @pytest.fixture
    def store(self, memory_store: MemoryStore) -> MemoryStore:
        return memory_store


class TestJsonTransfer(TransferContract):
    @pytest.fixture
    def store(self, json_store: JsonFileStore) -> JsonFileStore:
        return json_store

    def test_skip_to_when_further_than_the_index_can_leave_out_then_refused(
        self, json_store: JsonFileStore
    ) -> None:
        with pytest.raises(ValueError, match="cannot leave out so many"):
            json_store.write(lambda uow: uow.transfer.skip_to(2**62))


class TestSqliteTransfer(TransferContract):
    @pytest.fixture
    def store(self, sqlite_store: SqliteStore) -> SqliteStore:
        return sqlite_store

    def test_skip_to_when_many_workflows_are_written_in_one_transaction_then_few_are_remembered(
        self, sqlite_store: SqliteStore, put: Save
    ) -> None:
        remembered = []

        def fill(uow: UnitOfWork) -> None:
            for number in range(1, 2_101):
                uow.transfer.skip_to(number)
                put(uow, f"wf {number}")
            put(uow, "wf 1")
            remembered.append(len(sqlite_store._connections.memory.workflows))

        sqlite_store.write(fill)

        assert remembered[-1] < 200
        assert sqlite_store.read(lambda uow: uow.transfer.last_sequence("wf 1")) == 2
