"""The one place where connections to a store's file are made."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...domain.errors import NotAStore, SchemaTooNew, SchemaTooOld, StorageUnavailable
from ...domain.wording import near_names
from .format import APPLICATION_ID, SCHEMA

Durability = Literal["power", "process"]

# A reader meets locks rarely: while a store is recovered after a crash, or closed by its last user.
# A writer waits for its turn without SQLite's help (`turns`).
_READERS_WAIT = 0.25
_SUFFIXES = (".db", ".sqlite", ".sqlite3")
_SYNCHRONOUS = {"power": 2, "process": 1}  # FULL, NORMAL
# Moving the -wal into the file costs two syncs and is paid by whoever commits then: seldom, since a
# save changes some pages again and again. A burst may leave a longer -wal; the next one cuts it.
_CHECKPOINT_PAGES = 4000
_LARGEST_WAL = 32 << 20
_SWITCH_TRIES = 400
_SWITCH_PAUSE = 0.025


@dataclass(frozen=True, slots=True)
class StoreFile:
    """A store's file, and how it is to be opened.

    Attributes:
        path: absolute, so that it means the same wherever the program goes.
        durability: ``power``: what was acknowledged survives a power cut; ``process``: a power cut
            loses at most a tail, never consistency.
    """

    path: Path
    durability: Durability = "power"

    @property
    def name(self) -> str:
        """The path as text."""
        return str(self.path)

    def connect(self, *, writable: bool) -> sqlite3.Connection:
        """Return a connection to a file that is there; one that is not writable cannot write."""
        uri = f"{self.path.as_uri()}?mode=rw"
        try:
            connection = sqlite3.connect(
                uri,
                uri=True,
                timeout=0.0 if writable else _READERS_WAIT,
                isolation_level=None,  # transactions are begun by us: BEGIN IMMEDIATE
                check_same_thread=False,
            )
        except sqlite3.OperationalError as error:
            raise StorageUnavailable(f"{self.path} cannot be opened: {error}") from error
        try:
            self._prepare(connection, writable)
        except BaseException:
            connection.close()
            raise
        return connection

    def identity(self) -> tuple[int, int] | None:
        """Return what tells this file from one that took its place; ``None`` when it is gone."""
        try:
            found = os.stat(self.name)  # noqa: PTH116 - with each write, and twice as fast
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _prepare(self, connection: sqlite3.Connection, writable: bool) -> None:
        execute = connection.execute
        execute("PRAGMA trusted_schema = OFF")
        if not writable:
            execute("PRAGMA query_only = ON")
            return
        execute(f"PRAGMA synchronous = {_SYNCHRONOUS[self.durability]}")
        execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        execute(f"PRAGMA journal_size_limit = {_LARGEST_WAL}")
        if sys.platform == "darwin" and self.durability == "power":
            execute("PRAGMA fullfsync = ON")
            execute("PRAGMA checkpoint_fullfsync = ON")


def create_file(path: Path) -> None:
    """Make an empty file that only its owner can read, unless there is one.

    Never opens one that is there: closing it again would drop SQLite's locks on it, for the whole
    process, as POSIX has it.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StorageUnavailable(
            f"{path} cannot be made: {error.strerror}; choose a folder that exists and is writable"
        ) from error


def require_file(path: Path, *, may_be_empty: bool = True) -> None:
    """Raise when there is no file that could be a store."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise StorageUnavailable(
            f"there is no store at {path}; {_meant(path)}make one with `holdfast init`"
        ) from None
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be opened: {error.strerror}") from error
    if stat.S_ISDIR(found.st_mode):
        raise NotAStore(
            f"{path} is a folder, not a Holdfast store; name a file in it, or, for a "
            f"store of JSON files, json:{path}"
        )
    if not found.st_size and not may_be_empty:
        raise StorageUnavailable(f"{path} is empty; make a store of it with `holdfast init`")


def _meant(path: Path) -> str:
    """Return which stores beside it may have been meant: a slip is more likely than a wish."""
    try:
        stores = [each.name for each in path.parent.iterdir() if each.suffix in _SUFFIXES]
    except OSError:
        return ""
    near = near_names(path.name, stores)
    return f"did you mean {' or '.join(near)}? Else " if near else ""


def refuse_strangers(path: Path) -> None:
    """Raise for what is clearly not ours, after a look that takes no locks and writes nothing.

    Opening and closing a database in the usual way folds its -wal in, if it is the last to do so:
    another program's file, and one of a newer version, are not to be touched even so.
    """
    try:
        peek = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    except sqlite3.OperationalError:
        return  # opening it in earnest will say what is wrong
    try:
        (tables,) = peek.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (mark,) = peek.execute("PRAGMA application_id").fetchone()
        (schema,) = peek.execute("PRAGMA user_version").fetchone()
    except (sqlite3.Error, UnicodeDecodeError):
        # Not a database; one with a damaged schema, which SQLite's complaint may quote; or one
        # that others are writing to, seen without their -wal.
        return
    finally:
        peek.close()
    if mark != APPLICATION_ID and (mark != 0 or tables):
        raise NotAStore(
            f"{path} is the database of another program; it was not touched. Name another path"
        )
    if mark == APPLICATION_ID and schema > SCHEMA:
        raise SchemaTooNew(str(path), schema, SCHEMA)


def is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is still empty; raises `NotAStore` when it holds something else."""
    # The mark last: whoever makes the store sets it together with the tables.
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    if mark == APPLICATION_ID:
        return False
    if mark != 0 or tables:
        raise NotAStore(
            f"{path} is the database of another program; it was not touched. Name another path"
        )
    return True


def require_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Raise when the store has another schema than this version reads and writes."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found != SCHEMA:
        kind = SchemaTooNew if found > SCHEMA else SchemaTooOld
        raise kind(str(path), found, SCHEMA)


def switch_to_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Put the file into WAL mode; asked again and again, for SQLite does not wait in this.

    The space of what is deleted later can only be given back if the file was laid out for it from
    its first page on, so that is said before.
    """
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    mode = ""
    for _ in range(_SWITCH_TRIES):
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
        if mode == "wal":
            return
        time.sleep(_SWITCH_PAUSE)
    raise StorageUnavailable(
        f"{path} cannot be put into WAL mode (it stays in {mode or 'another mode'}); a file system "
        "without shared memory, such as a network share, cannot hold a store"
    )


def modes_in_force(connection: sqlite3.Connection) -> dict[str, object]:
    """Return what SQLite says is in force on a connection, as read back from it."""
    return {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "auto_vacuum", "user_version")
    }
