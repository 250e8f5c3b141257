"""The stores that every contract is held against."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.json_files.store import JsonFileStore
from holdfast.infrastructure.memory import MemoryStore
from holdfast.infrastructure.sqlite.store import SqliteStore
from holdfast.testing.contracts.fixtures import at, fields_of, payload_of, put, save

__all__ = ["at", "fields_of", "payload_of", "put", "save"]

_CODEC = JsonCodec()


@pytest.fixture(scope="session")
def empty_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without content, closed: copied for each test, so that Alembic runs once."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    SqliteStore.open(path, _CODEC).close()
    return path


@pytest.fixture
def sqlite_store(tmp_path: Path, empty_sqlite_file: Path) -> Iterator[SqliteStore]:
    path = tmp_path / "checkpoints.db"
    shutil.copyfile(empty_sqlite_file, path)
    store = SqliteStore.open(path, _CODEC, write_timeout=5.0)
    yield store
    store.close()


@pytest.fixture
def json_store() -> Iterator[JsonFileStore]:
    # Hundreds of tests, each with some hundred syncs: in memory where the system has room there.
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(dir=base) as folder:
        store = JsonFileStore.open(Path(folder) / "store", _CODEC, write_timeout=5.0)
        yield store
        store.close()


@pytest.fixture
def memory_store() -> Iterator[MemoryStore]:
    store = MemoryStore(_CODEC)
    yield store
    store.close()
