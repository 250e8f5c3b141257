"""Where a search keeps the state of a store: taken down, and put back, as often as it likes."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import holdfast
from holdfast.domain.ports import UnitOfWork
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.json_files.store import JsonFileStore
from holdfast.infrastructure.sqlite.transaction import Transaction
from holdfast.infrastructure.sqlite.unit_of_work import SqliteUnitOfWork

T = TypeVar("T")


class Place(Protocol):
    """A store whose state can be put back."""

    target: str

    def write(self, work: Callable[[UnitOfWork], T], *, timeout: float | None = None) -> T:
        """Run *work* as one transaction."""

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run *work* on one view."""

    def give_back(self) -> bool:
        """Give back no space."""

    def take_down(self) -> Any:
        """Return the present state."""

    def put_back(self, state: Any) -> None:
        """Bring a state back."""

    def attempt(self) -> Any:
        """Return a block whose changes are undone at its end."""


class SqlitePlace:
    """The real tables and the real SQL, in memory: what files and commits do is tested elsewhere.

    Nothing is remembered from one transaction to the next, as if each came from a new process.
    """

    target = "search"

    def __init__(self, folder: Path) -> None:
        self.codec = JsonCodec()
        empty = folder / "empty.db"
        holdfast.open(empty).close()
        image = bytearray(empty.read_bytes())
        image[18:20] = b"\1\1"  # a database in memory has no -wal
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.deserialize(bytes(image))
        self._connection.execute("VACUUM")
        self._before = b""

    def write(self, work: Callable[[UnitOfWork], T], *, timeout: float | None = None) -> T:
        self._connection.execute("SAVEPOINT one")
        try:
            done = work(self._work())
        except BaseException:
            self._connection.execute("ROLLBACK TO one")
            raise
        finally:
            self._connection.execute("RELEASE one")
        return done

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        return work(self._work())

    def give_back(self) -> bool:
        return False

    def take_down(self) -> bytes:
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")  # else it would not be in the image
        return zlib.compress(self._connection.serialize(), 1)

    def put_back(self, state: bytes) -> None:
        self._before = zlib.decompress(state)
        self._connection.deserialize(self._before)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        self._connection.execute("SAVEPOINT attempt")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO attempt")
                self._connection.execute("RELEASE attempt")
            else:
                self._connection.deserialize(self._before)

    def _work(self) -> SqliteUnitOfWork:
        return SqliteUnitOfWork(Transaction(self, self._connection))  # type: ignore[arg-type]


class JsonPlace:
    """The real files; a state is a copy of the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        self._there = self._folder / "store"
        self._count = 0
        JsonFileStore.open(self._there, JsonCodec()).close()
        self.target = f"json:{self._there}"
        self._open()

    def write(self, work: Callable[[UnitOfWork], T], *, timeout: float | None = None) -> T:
        return self._store.write(work)

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        return self._store.read(work)

    def give_back(self) -> bool:
        return False

    def take_down(self) -> Path:
        self._count += 1
        return Path(shutil.copytree(self._there, self._folder / f"state-{self._count}"))

    def put_back(self, state: Path) -> None:
        self._store.close()
        shutil.rmtree(self._there)
        shutil.copytree(state, self._there)
        self._open()

    @contextmanager
    def attempt(self) -> Iterator[None]:
        before = self.take_down()
        try:
            yield
        finally:
            self.put_back(before)
            shutil.rmtree(before)

    def _open(self) -> None:
        self._store = JsonFileStore.open(self._there, JsonCodec())
