"""The file of a store: how it is kept, who may read it, and what is not taken for one."""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.errors import (
    NotAStore,
    SchemaMismatch,
    SchemaTooNew,
    SchemaTooOld,
    StorageUnavailable,
)
from holdfast.domain.ports import Store
from holdfast.infrastructure.sqlite.connection import Durability
from holdfast.infrastructure.sqlite.format import APPLICATION_ID, SCHEMA
from holdfast.infrastructure.sqlite.store import SqliteStore

Save = Callable[..., Checkpoint]
OpenStore = Callable[..., SqliteStore]
ContentsOf = Callable[[Path], dict[str, bytes]]
IdsIn = Callable[[Store], list[str]]
Behind = Callable[..., list[Any]]

INCREMENTAL = 2
NEWER = SCHEMA + 97

STARTS_WITHOUT_SQLALCHEMY = """
import sys
from pathlib import Path
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite.store import SqliteStore

store = SqliteStore.open(Path(sys.argv[1]), JsonCodec())
store.write(lambda uow: uow.sequences.next("wf"))
store.read(lambda uow: uow.checkpoints.standing("wf"))
store.close()
print(sorted({name.partition(".")[0] for name in sys.modules} & {"sqlalchemy", "alembic"}))
"""


# Modes.


@pytest.mark.parametrize(("durability", "synchronous"), [("power", 2), ("process", 1)])
def test_modes_when_a_store_is_made_then_they_are_in_force_as_read_back(
    tmp_path: Path, open_store: OpenStore, durability: Durability, synchronous: int
) -> None:
    store = open_store(tmp_path / "new.db", durability=durability)

    assert store.modes_in_force() == {
        "journal_mode": "wal",
        "synchronous": synchronous,
        "auto_vacuum": INCREMENTAL,
        "user_version": SCHEMA,
    }


@pytest.mark.parametrize(("durability", "synchronous"), [("power", 2), ("process", 1)])
def test_modes_when_a_store_is_opened_again_then_durability_is_that_of_the_opening(
    path: Path, open_store: OpenStore, durability: Durability, synchronous: int
) -> None:
    modes = open_store(path, durability=durability).modes_in_force()

    assert (modes["journal_mode"], modes["synchronous"]) == ("wal", synchronous)


def test_modes_when_asked_of_nothing_then_it_is_power(path: Path, open_store: OpenStore) -> None:
    assert open_store(path).modes_in_force()["synchronous"] == 2


def test_file_when_looked_at_through_another_connection_then_it_is_marked_and_in_wal_mode(
    store: SqliteStore, behind: Behind
) -> None:
    assert behind("PRAGMA application_id") == [(APPLICATION_ID,)]
    assert behind("PRAGMA user_version") == [(SCHEMA,)]
    assert behind("PRAGMA journal_mode") == [("wal",)]
    assert behind("PRAGMA auto_vacuum") == [(INCREMENTAL,)]


def test_file_when_rows_are_deleted_then_its_pages_can_be_given_back(
    path: Path, store: SqliteStore, save: Save, behind: Behind
) -> None:
    for _ in range(20):
        save(store, state={"large": os.urandom(10_000).hex()})
    behind("DELETE FROM checkpoints")
    ((before,),) = behind("PRAGMA page_count")

    with closing(sqlite3.connect(path)) as raw:
        # Not by execute: that takes one step of a statement without columns, which is one page.
        raw.executescript("PRAGMA incremental_vacuum")

    ((after,),) = behind("PRAGMA page_count")
    assert after < before / 4


def test_file_when_closed_then_it_is_alone_in_its_folder(
    path: Path, store: SqliteStore, save: Save, ids_in: IdsIn
) -> None:
    save(store)
    ids_in(store)
    assert {each.name for each in path.parent.iterdir()} > {path.name}

    store.close()

    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_file_when_made_then_only_its_owner_can_read_it_and_what_belongs_to_it(
    tmp_path: Path, open_store: OpenStore, save: Save, ids_in: IdsIn
) -> None:
    before = os.umask(0)
    try:
        store = open_store(tmp_path / "new.db")
        save(store)
        ids_in(store)
    finally:
        os.umask(before)

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["new.db", "new.db-wal", "new.db-shm", "new.db-turn"], 0o600)


@pytest.mark.parametrize("name", ["a b?mode=ro#c%20d&e.db", "日本語 🚀.db", "-v", "x" * 200])
def test_file_when_its_name_is_odd_then_it_is_that_file_that_is_used(
    tmp_path: Path, open_store: OpenStore, save: Save, ids_in: IdsIn, name: str
) -> None:
    store = open_store(tmp_path / name)
    save(store)
    store.close()

    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert ids_in(open_store(tmp_path / name, upgrade=False)) == ["wf@1"]


def test_file_when_the_program_changes_its_folder_then_the_store_is_still_the_same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    open_store: OpenStore,
    save: Save,
    ids_in: IdsIn,
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    store = open_store(Path("store.db"))
    save(store)
    monkeypatch.chdir(elsewhere)

    assert ids_in(store) == ["wf@1"]
    assert ids_in(open_store(Path(store.target), upgrade=False)) == ["wf@1"]
    assert list(elsewhere.iterdir()) == []


def test_open_when_the_store_is_up_to_date_then_sqlalchemy_is_not_even_loaded(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTS_WITHOUT_SQLALCHEMY, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"


# What is not taken for a store.


def _text(path: Path) -> None:
    path.write_text("dear diary, this is not a database\n" * 100)


def _short_text(path: Path) -> None:
    path.write_text("hi")


def _other_database(path: Path) -> None:
    _make_database(path, "CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('mine')")


def _other_database_in_wal_mode(path: Path) -> None:
    _make_database(path, "PRAGMA journal_mode = WAL", "CREATE TABLE workflows (id)")


def _other_mark(path: Path) -> None:
    _make_database(path, "PRAGMA application_id = 1196444487", "PRAGMA user_version = 1")


def _other_database_after_a_crash(path: Path) -> None:
    """What was committed last is in the -wal alone, which closing the database would fold in."""
    begun = path.with_name("begun.db")
    with closing(sqlite3.connect(begun, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("CREATE TABLE notes (text)")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("INSERT INTO notes VALUES ('in the -wal')")
        shutil.copyfile(begun, path)
        shutil.copyfile(f"{begun}-wal", f"{path}-wal")
    begun.unlink()


@pytest.mark.parametrize("upgrade", [True, False], ids=["writing", "reading"])
@pytest.mark.parametrize(
    "make",
    [
        _text,
        _short_text,
        _other_database,
        _other_database_in_wal_mode,
        _other_mark,
        _other_database_after_a_crash,
    ],
)
def test_open_when_the_file_is_something_else_then_it_is_refused_and_not_touched(
    tmp_path: Path,
    open_store: OpenStore,
    contents_of: ContentsOf,
    make: Callable[[Path], None],
    upgrade: bool,
) -> None:
    path = tmp_path / "mine.db"
    make(path)
    before = contents_of(tmp_path)

    _refused(NotAStore, path, open_store, upgrade=upgrade)

    after = contents_of(tmp_path)
    assert after.pop("mine.db-shm", b"") is not None  # an index of the -wal; holds no content
    assert after == before


@pytest.mark.parametrize("upgrade", [True, False], ids=["writing", "reading"])
def test_open_when_it_is_a_folder_then_it_is_refused_and_stays_as_it_was(
    tmp_path: Path, open_store: OpenStore, upgrade: bool
) -> None:
    with pytest.raises(NotAStore, match="is a folder"):
        open_store(tmp_path, upgrade=upgrade)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("upgrade", [True, False], ids=["writing", "reading"])
def test_open_when_refused_then_the_file_is_let_go_of(
    tmp_path: Path, open_store: OpenStore, upgrade: bool
) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("open files cannot be told without /proc")
    path = tmp_path / "mine.db"
    _other_database(path)

    with pytest.raises(NotAStore) as caught:
        open_store(path, upgrade=upgrade)

    still_open = [each.readlink() for each in descriptors.iterdir() if each.is_symlink()]
    assert path not in still_open, str(caught.value)


# Schemas.


@pytest.mark.parametrize("upgrade", [True, False], ids=["writing", "reading"])
def test_open_when_the_schema_is_newer_then_both_versions_are_told_and_nothing_is_touched(
    path: Path, open_store: OpenStore, behind: Behind, contents_of: ContentsOf, upgrade: bool
) -> None:
    behind(f"PRAGMA user_version = {NEWER}")
    before = contents_of(path.parent)

    error = _refused(SchemaTooNew, path, open_store, upgrade=upgrade)

    assert isinstance(error, SchemaMismatch)
    assert (error.found, error.supported) == (NEWER, SCHEMA)
    for needed in (str(path), str(NEWER), str(SCHEMA), "upgrade Holdfast"):
        assert needed in str(error)
    assert contents_of(path.parent) == before


@pytest.mark.parametrize("upgrade", [True, False], ids=["writing", "reading"])
def test_open_when_a_newer_version_crashed_then_what_it_left_in_the_wal_is_not_touched(
    tmp_path: Path, path: Path, open_store: OpenStore, contents_of: ContentsOf, upgrade: bool
) -> None:
    left = tmp_path / "left" / "store.db"
    left.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute(f"PRAGMA user_version = {NEWER}")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("CREATE TABLE of_the_future (content)")
        shutil.copyfile(path, left)
        shutil.copyfile(f"{path}-wal", f"{left}-wal")
    before = contents_of(left.parent)

    _refused(SchemaTooNew, left, open_store, upgrade=upgrade)

    after = contents_of(left.parent)
    after.pop("store.db-shm", None)  # an index of the -wal; holds no content
    assert after == before


def test_open_when_the_schema_is_older_and_it_is_only_to_be_read_then_it_is_refused(
    tmp_path: Path,
    open_store: OpenStore,
    make_old_store: Callable[[Path], None],
    contents_of: ContentsOf,
) -> None:
    path = tmp_path / "old.db"
    make_old_store(path)
    before = contents_of(tmp_path)

    error = _refused(SchemaTooOld, path, open_store, upgrade=False)

    assert isinstance(error, SchemaMismatch)
    assert (error.found, error.supported) == (1, SCHEMA)
    assert "holdfast upgrade" in str(error)
    assert contents_of(tmp_path) == before


def test_open_when_the_file_is_empty_and_it_is_only_to_be_read_then_it_is_refused(
    tmp_path: Path, open_store: OpenStore, contents_of: ContentsOf
) -> None:
    path = tmp_path / "empty.db"
    path.touch()

    _refused(StorageUnavailable, path, open_store, upgrade=False)

    assert contents_of(tmp_path) == {"empty.db": b""}


def test_open_when_there_is_no_file_and_it_is_only_to_be_read_then_none_is_made(
    tmp_path: Path, open_store: OpenStore
) -> None:
    with pytest.raises(StorageUnavailable, match=r"no store at .*missing\.db"):
        open_store(tmp_path / "missing.db", upgrade=False)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("upgrade", [True, False], ids=["writing", "reading"])
@pytest.mark.parametrize("where", ["no/such/folder.db", "file/store.db", "x" * 300, "loop"])
def test_open_when_there_cannot_be_a_file_then_the_error_names_it(
    tmp_path: Path, open_store: OpenStore, where: str, upgrade: bool
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    with pytest.raises(StorageUnavailable) as caught:
        open_store(tmp_path / where, upgrade=upgrade)

    assert str(tmp_path / where) in str(caught.value)


def test_open_when_it_was_made_only_in_part_then_the_making_is_finished(
    tmp_path: Path, open_store: OpenStore, save: Save
) -> None:
    # Somebody died after the file was made, or after it was put into WAL mode.
    (tmp_path / "empty.db").touch()
    _make_database(tmp_path / "switched.db", "PRAGMA journal_mode = WAL")

    for name in ("empty.db", "switched.db"):
        assert str(save(open_store(tmp_path / name)).id) == "wf@1"


@pytest.mark.parametrize(("version", "error"), [(NEWER, SchemaTooNew), (1, SchemaTooOld)])
def test_write_when_the_schema_was_changed_since_opening_then_it_is_refused(
    store: SqliteStore, save: Save, behind: Behind, version: int, error: type[SchemaMismatch]
) -> None:
    save(store)
    behind(f"PRAGMA user_version = {version}")

    with pytest.raises(error) as caught:
        save(store)

    assert (caught.value.found, caught.value.supported) == (version, SCHEMA)
    assert behind("SELECT count(*) FROM checkpoints") == [(1,)]


def _refused(
    kind: type[StorageUnavailable], path: Path, open_store: OpenStore, *, upgrade: bool
) -> StorageUnavailable:
    """Return the error that opening raises; what it held on to is gone then."""
    with pytest.raises(kind) as caught:
        open_store(path, upgrade=upgrade)
    error = caught.value.with_traceback(None)
    assert path.name in str(error)
    # Whatever was left open is closed at the latest when it is collected.
    del caught
    gc.collect()
    return error


def _make_database(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for each in statements:
            raw.execute(each)


def test_backup_when_somebody_saves_without_a_pause_then_it_ends(
    path: Path,
    tmp_path: Path,
    open_store: OpenStore,
    save: Save,
    behind: Callable[..., list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, other = open_store(path, durability="process"), open_store(path, durability="process")
    behind("CREATE TABLE large AS SELECT zeroblob(40000000)")
    monkeypatch.setattr("holdfast.infrastructure.sqlite.care._PAGES_AT_ONCE", 1)
    ended = threading.Event()

    def back_up() -> None:
        store.backup(tmp_path / "copy.db")
        ended.set()

    copying = threading.Thread(target=back_up)
    copying.start()
    for _ in range(3000):
        save(other, "live")
        if ended.is_set():
            break

    was_in_time = ended.is_set()
    copying.join(60)
    assert was_in_time
