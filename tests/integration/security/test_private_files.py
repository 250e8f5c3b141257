"""Whatever is written, only its owner can read: with a umask that would let everybody."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import connect

import holdfast
import pytest
from holdfast.domain.retention import OwnRetention
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.json_files.file_operations import Files
from holdfast.infrastructure.json_files.store import JsonFileStore

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")

MODULE = [sys.executable, "-m", "holdfast"]


@pytest.fixture(autouse=True)
def _everybody_may() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def require_private(folder: Path, *names: str) -> None:
    """Raise unless everything in a folder is for its owner alone, and what is named is there."""
    found = {each: stat.S_IMODE(each.lstat().st_mode) for each in folder.rglob("*")}
    open_to_others = {str(each): oct(mode) for each, mode in found.items() if mode & 0o077}
    assert not open_to_others
    assert set(names) <= {each.name for each in found}


def test_store_when_open_and_used_then_each_of_its_files_is_its_owners_alone(
    place: Path, target: str, kind: str
) -> None:
    app = holdfast.Registry()

    @app.workflow("crew")
    def crew(run: holdfast.Run) -> list[int]:
        with run.stage("read", kind="parallel") as stage:
            return stage.map(len, ["a", "bb"])

    with holdfast.open(target, registry=app) as engine:
        engine.start("crew", workflow_id="w/..")
        for n in range(70):
            engine.checkpoint("long", state={"n": n, "text": "x" * 3000})
        engine.checkpoint("large", state={"text": ["y"] * 60_000})
        engine.purge(keep=5)
        engine.retain("long", days=3)
        names = ["store.db-wal", "store.db-shm", "store.db-turn"]
        if kind == "json":
            names = ["lock", "latest.log", "retention.json", "holdfast.json"]
        require_private(place.parent, *names)
    require_private(place.parent, place.name)


def test_journal_when_its_process_dies_before_it_is_carried_out_then_its_owners_alone(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "in" / "files"
    folder.parent.mkdir()

    def die_after_the_commit(operation: str, path: Path) -> None:
        if operation == "write" and (folder / "journal" / "commit.json").exists():
            raise KeyboardInterrupt

    with closing(JsonFileStore.open(folder, JsonCodec(), write_timeout=1.0)):
        pass
    store = JsonFileStore.open(
        folder, JsonCodec(), write_timeout=1.0, files=Files(die_after_the_commit)
    )
    with suppress(KeyboardInterrupt):
        store.write(lambda uow: uow.sequences.next("w"))
        store.write(lambda uow: uow.retention.set_policy("w", OwnRetention(3, 4)))
    store.close()

    require_private(folder.parent, "commit.json")


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz", "all.jsonl.zst", "copy.db", "copy"])
def test_export_and_what_is_imported_when_made_then_their_owners_alone(
    place: Path, target: str, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    to = f"json:{out / name}" if name == "copy" else out / name
    with holdfast.open(target) as engine:
        engine.checkpoint("w", state={"secret": 1})
        engine.export_to(to)

    with holdfast.open(out / "imported.db") as engine:
        engine.import_from(to)

    require_private(out, name, "imported.db")


def test_backup_and_quarantine_when_made_then_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "store.db"
    with holdfast.open(path) as engine:
        engine.checkpoint("w", state={"secret": 1})
        engine.backup(folder / "backup.db")
    with closing(connect(path, isolation_level=None)) as raw:
        raw.execute("UPDATE checkpoints SET body = x'00', status = 'nonsense'")
    with holdfast.open(path) as engine:
        report = engine.verify(repair=True)

    assert report.quarantine is not None
    require_private(folder, "backup.db", "store.db-quarantine")


def test_log_file_when_made_then_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir(mode=0o700)
    (folder / "holdfast.toml").touch(mode=0o600)
    (folder / "holdfast.toml").write_text(
        'store = "store.db"\n[log]\nlevel = "debug"\nfile = "lines.log"\n'
    )
    environment = {name: text for name, text in os.environ.items() if "HOLDFAST" not in name}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)

    for command in (["init"], ["checkpoint", "w", "--type", "workflow_start"]):
        ended = subprocess.run(
            [*MODULE, *command], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr

    require_private(folder, "store.db", "lines.log")
