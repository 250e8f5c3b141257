"""Symbolic links in a store of JSON files that somebody else made: none leads out of it."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import holdfast
import orjson
import pytest
from holdfast.infrastructure.json_files.journal import Put, _pack

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links are for administrators there")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "in" / "files"
    folder.parent.mkdir()
    with holdfast.open(f"json:{folder}") as engine:
        for n in range(3):
            engine.checkpoint("w", state={"n": n})
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "precious").write_text("as it was")
    return folder


def use(store: Path) -> list[holdfast.HoldfastError]:
    """Do what can be done to a store; return what was refused."""
    refused: list[holdfast.HoldfastError] = []
    try:
        with holdfast.open(f"json:{store}", settings={"write_timeout": 0.1}) as engine:
            for act in (
                lambda: engine.checkpoint("w", state={"n": -1}),
                lambda: engine.checkpoint("new", stage_id="s", state={"n": -1}),
                lambda: engine.get("w@2"),
                lambda: engine.context("w"),
                lambda: engine.purge(keep=1),
                lambda: engine.delete("w", force=True),
            ):
                try:
                    act()
                except holdfast.HoldfastError as error:
                    refused.append(error)
    except holdfast.HoldfastError as error:
        refused.append(error)
    return refused


def require_untouched(outside: Path) -> None:
    assert [each.name for each in outside.iterdir()] == ["precious"]
    assert (outside / "precious").read_text() == "as it was"


def test_store_when_any_file_is_a_link_then_what_it_leads_to_is_neither_read_nor_written(
    store: Path, outside: Path, tmp_path: Path
) -> None:
    names = [str(each.relative_to(store)) for each in store.rglob("*") if each.is_file()]
    assert len(names) > 5
    for name in names:
        (store / name).rename(tmp_path / "kept")
        (store / name).symlink_to(outside / "precious")

        use(store)

        require_untouched(outside)
        (store / name).unlink(missing_ok=True)
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "kept").rename(store / name)


@pytest.mark.parametrize("name", ["journal/commit.json.tmp", "index/latest.log", "holdfast.json"])
def test_write_when_a_link_is_in_its_way_then_it_is_refused_and_told(
    store: Path, outside: Path, name: str
) -> None:
    (store / name).parent.mkdir(exist_ok=True)
    (store / name).unlink(missing_ok=True)
    (store / name).symlink_to(outside / "precious")

    refused = use(store)

    require_untouched(outside)
    assert refused
    assert isinstance(refused[0], holdfast.StorageUnavailable | holdfast.NotAStore)


def test_write_when_a_folder_is_a_link_then_it_is_refused_and_nothing_is_written_there(
    store: Path, outside: Path
) -> None:
    folders = [each for each in store.rglob("*") if each.is_dir()]
    assert len(folders) > 5
    for folder in folders:
        kept = folder.with_name(f"{folder.name}-kept")
        folder.rename(kept)
        folder.symlink_to(outside, target_is_directory=True)

        refused = use(store)

        require_untouched(outside)
        folder.unlink()
        kept.rename(folder)
        if folder.name in ("w", "workflows"):
            assert any("is a symbolic link" in str(each) for each in refused)


def test_journal_when_it_goes_through_a_link_then_it_is_not_carried_out(
    store: Path, outside: Path
) -> None:
    (store / "way").symlink_to(outside, target_is_directory=True)
    (store / "journal").mkdir(exist_ok=True)
    (store / "journal" / "commit.json").write_bytes(_pack([Put("way/new", b"planted")]))

    with pytest.raises(holdfast.StorageUnavailable, match=r"way is a symbolic link.*outside"):
        holdfast.open(f"json:{store}")

    require_untouched(outside)


@pytest.mark.parametrize("content", [{}, [1], [["put"]], [["remove", 5]], [["jump", "x"]], 7])
def test_journal_when_its_digest_fits_and_its_content_is_none_then_it_is_damage(
    store: Path, content: object
) -> None:
    (store / "journal").mkdir(exist_ok=True)
    text = orjson.dumps(content)
    entry = sha256(text).hexdigest().encode() + b"\n" + text
    (store / "journal" / "commit.json").write_bytes(entry)

    with holdfast.open(f"json:{store}") as engine:
        with pytest.raises(holdfast.CheckpointCorrupted, match="the transaction in"):
            engine.list()
        assert engine.verify(repair=True).findings
        assert len(engine.list()) == 3, "what was there before"


@pytest.mark.parametrize("name", ["all.jsonl", "all.db", "backup.db"])
def test_export_and_backup_when_a_link_is_at_the_place_then_it_is_refused_and_not_followed(
    tmp_path: Path, outside: Path, name: str
) -> None:
    (tmp_path / name).symlink_to(outside / "precious")
    with holdfast.open(tmp_path / "store.db") as engine:
        engine.checkpoint("w")
        act = engine.backup if name == "backup.db" else engine.export_to
        with pytest.raises(
            (holdfast.TargetExists, holdfast.InvalidRequest), match=r"exists|is there"
        ):
            act(tmp_path / name)

    require_untouched(outside)
