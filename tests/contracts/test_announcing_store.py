"""A store that tells what was written is a store like any other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from holdfast.application.announcing_store import AnnouncingStore
from holdfast.domain.events import DomainEvent
from holdfast.domain.json_value import JsonValue
from holdfast.domain.ports import Store
from holdfast.domain.ports.journal import JournalLevel
from holdfast.testing.contracts.unit_of_work import StoreContract


class Silence:
    """A journal that nobody reads."""

    wants_saves = True

    def tell(self, events: Sequence[DomainEvent]) -> None: ...

    def say(self, event: str, *, level: JournalLevel = "info", **fields: JsonValue) -> None: ...


class TestAnnouncingStore(StoreContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return AnnouncingStore(sqlite_store, Silence())
