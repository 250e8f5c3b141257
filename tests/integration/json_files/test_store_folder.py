"""What a folder has to be to be opened as a store, and what is refused and not touched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import holdfast
import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.json_files.store import JsonFileStore

OpenStore = Callable[..., JsonFileStore]
Save = Callable[..., Checkpoint]


def test_open_when_there_is_nothing_then_a_store_is_made_and_opens_again(folder: Path) -> None:
    with holdfast.open(f"json:{folder}") as engine:
        saved = engine.checkpoint("wf", state={"n": 1})
        target = engine.target
    with holdfast.open(target) as engine:
        assert engine.get(saved.id).state == {"n": 1}
    assert target == f"json:{folder}"


def test_open_when_the_folder_is_empty_then_a_store_is_made_in_it(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    folder.mkdir()

    assert str(save(open_store(folder)).id) == "wf@1"


def test_open_when_the_making_was_cut_short_then_it_is_finished(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    folder.mkdir()
    (folder / "lock").touch()
    (folder / "holdfast.json.tmp").write_text('{"form')

    assert str(save(open_store(folder)).id) == "wf@1"


def test_open_when_the_folder_holds_other_things_then_it_is_refused_and_not_touched(
    folder: Path, open_store: OpenStore
) -> None:
    folder.mkdir()
    (folder / "thesis.tex").write_text("precious")

    with pytest.raises(holdfast.NotAStore, match=r"thesis\.tex.*not touched"):
        open_store(folder)

    assert [(each.name, each.read_text()) for each in folder.iterdir()] == [
        ("thesis.tex", "precious")
    ]


def test_open_when_it_is_a_file_then_it_is_refused_and_not_touched(
    folder: Path, open_store: OpenStore
) -> None:
    folder.write_text("precious")

    with pytest.raises(holdfast.NotAStore, match="is a file"):
        open_store(folder)

    assert folder.read_text() == "precious"


@pytest.mark.parametrize("options", [{"create": False}, {"upgrade": False}])
@pytest.mark.parametrize("is_there", [True, False])
def test_open_when_nothing_is_to_be_made_then_it_is_refused_and_nothing_is(
    folder: Path, open_store: OpenStore, options: dict[str, bool], is_there: bool
) -> None:
    if is_there:
        folder.mkdir()

    with pytest.raises(holdfast.StorageUnavailable, match="init"):
        open_store(folder, **options)

    assert list(folder.glob("*")) == []
    assert folder.exists() is is_there


def test_open_when_the_schema_is_newer_then_both_are_told_and_nothing_is_touched(
    folder: Path, open_store: OpenStore
) -> None:
    open_store(folder).close()
    marker = folder / "holdfast.json"
    marker.write_text('{"format": "holdfast", "schema": 9}')
    (folder / "lock").unlink()

    with pytest.raises(holdfast.SchemaTooNew) as refused:
        open_store(folder)

    assert (refused.value.found, refused.value.supported) == (9, 1)
    assert not (folder / "lock").exists()


def test_write_when_the_schema_was_raised_since_opening_then_it_is_refused(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    store = open_store(folder)
    save(store)
    (folder / "holdfast.json").write_text('{"format": "holdfast", "schema": 9}')

    with pytest.raises(holdfast.SchemaTooNew):
        save(store)


@pytest.mark.parametrize("marker", ["", "{", "[]", '{"format": "other", "schema": 1}'])
def test_open_when_the_marker_is_none_of_ours_then_it_is_refused(
    folder: Path, open_store: OpenStore, marker: str
) -> None:
    folder.mkdir()
    (folder / "holdfast.json").write_text(marker)

    with pytest.raises(holdfast.NotAStore, match="nothing was touched"):
        open_store(folder)

    assert [each.name for each in folder.iterdir()] == ["holdfast.json"]


def test_open_when_the_folder_around_it_is_missing_then_it_is_told(
    folder: Path, open_store: OpenStore
) -> None:
    with pytest.raises(holdfast.StorageUnavailable, match="cannot be made"):
        open_store(folder / "deeper" / "store")


def test_open_when_the_folder_is_read_only_then_it_is_told(
    folder: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(folder).close()
    if os.geteuid() == 0:  # for whom nothing is read-only
        access = os.access
        monkeypatch.setattr(
            os, "access", lambda path, mode: access(path, mode & ~os.W_OK) and not mode & os.W_OK
        )
    else:
        folder.chmod(0o500)

    with pytest.raises(holdfast.StorageUnavailable, match="read-only"):
        open_store(folder)


def test_open_when_locks_do_not_work_then_it_is_refused(
    folder: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setattr(fcntl, "flock", lambda *_: None)

    with pytest.raises(holdfast.StorageUnavailable, match="locks do not work"):
        open_store(folder)


def test_open_when_the_file_system_has_no_locks_then_it_is_refused(
    folder: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import fcntl

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", no_locks)

    with pytest.raises(holdfast.StorageUnavailable, match="without locks"):
        open_store(folder)


@pytest.mark.parametrize("target", ["json:", "json:\0"])
def test_open_when_the_target_names_nothing_then_it_is_a_usage_error(target: str) -> None:
    with pytest.raises(holdfast.InvalidRequest):
        holdfast.open(target)


def test_command_line_when_the_store_is_a_folder_then_it_writes_and_looks(folder: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "holdfast", "--store", f"json:{folder}", *arguments],
            capture_output=True,
            text=True,
        )

    assert run("latest", "wf").returncode == 5
    assert run("init").returncode == 0
    assert run("checkpoint", "wf", "--name", "first").returncode == 0
    shown = run("--json", "latest", "wf")

    assert shown.returncode == 0, shown.stderr
    assert '"wf@1"' in shown.stdout
    assert run("upgrade").returncode == 0


def test_store_when_closed_then_it_can_be_copied_as_it_is(
    folder: Path, room: Path, open_store: OpenStore, save: Save
) -> None:
    import shutil

    store = open_store(folder)
    saved = save(store, state={"n": 1})
    store.close()
    shutil.copytree(folder, room / "copy")

    copy = JsonFileStore.open(room / "copy", JsonCodec())
    assert copy.read(lambda uow: uow.checkpoints.get(saved.id)).state == {"n": 1}
    copy.close()
