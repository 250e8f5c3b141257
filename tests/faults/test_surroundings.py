"""What happens around a store: a disk that is really full, a mount that turns read-only, a folder
that is taken away, a file that is cut short.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import holdfast
import pytest

from .content import content_of
from .power_cut import read_state
from .recording import target_in

TMPFS = "size=3m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The folder of a small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        _mount("-t", "tmpfs", "-o", TMPFS, "tmpfs", folder)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small file system can be mounted by root alone, on Linux")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_save_when_the_disk_is_really_full_then_told_nothing_is_lost_and_with_room_it_goes_on(
    small_disk: Path, kind: str
) -> None:
    saved: list[str] = []
    with holdfast.open(target_in(small_disk, kind), settings={"write_timeout": 0.0}) as engine:
        with pytest.raises(holdfast.StorageUnavailable, match="no space left") as told:
            _fill(engine, saved)
        assert told.value.outcome == "not written"
        assert len(saved) > 10

        _mount("-o", "remount,size=30m", small_disk)

        engine.checkpoint("log", name="with room")
        assert engine.latest("log").id.sequence == len(saved) + 1
        assert {str(each.id) for each in engine.list("log", limit=1000)} > set(saved)
    with holdfast.open(target_in(small_disk, kind)) as engine:
        assert engine.verify().intact
        assert len(engine.list("log", limit=1000)) == len(saved) + 1


def test_save_when_the_mount_turns_read_only_then_told_and_afterwards_it_goes_on(
    small_disk: Path, kind: str
) -> None:
    target = target_in(small_disk, kind)
    with holdfast.open(target) as engine:
        engine.checkpoint("log", state={"n": 1})
    before = read_state(small_disk)
    _mount("-o", "remount,ro", small_disk)

    with (
        pytest.raises(holdfast.StorageUnavailable) as told,
        holdfast.open(target, settings={"write_timeout": 0.0}) as engine,
    ):
        engine.checkpoint("log", state={"n": 2})

    assert str(small_disk) in str(told.value)
    assert read_state(small_disk) == before
    _mount("-o", f"remount,rw,{TMPFS}", small_disk)
    with holdfast.open(target) as engine:
        assert engine.context("log").workflow_state == {"n": 1}
        engine.checkpoint("log", state={"n": 2})


def test_save_when_the_folder_is_removed_while_open_then_told_and_nothing_is_made_anew(
    room: Path, kind: str
) -> None:
    folder = room / "inner"
    folder.mkdir()
    with holdfast.open(target_in(folder, kind), settings={"write_timeout": 0.0}) as engine:
        engine.checkpoint("log", state={"n": 1})
        shutil.rmtree(folder)

        with pytest.raises(holdfast.StorageUnavailable, match="removed"):
            engine.checkpoint("log", state={"n": 2})

    assert not folder.exists()


def test_open_when_any_file_is_cut_short_then_what_is_told_is_true_or_an_error(
    room: Path, kind: str
) -> None:
    whole, cut = room / "whole", room / "cut"
    whole.mkdir()
    with holdfast.open(target_in(whole, kind)) as engine:
        engine.checkpoint("wf", type="workflow_start", resume_handler="h", state={"n": 1})
        for number in range(12):
            engine.checkpoint("wf", name=f"{number}", patch={"text": "x" * 300 * number})
        contents = content_of(engine)
    draw = Random(kind)
    errors = 0
    for _ in range(60):
        shutil.rmtree(cut, ignore_errors=True)
        shutil.copytree(whole, cut)
        files = [each for each in sorted(cut.rglob("*")) if each.is_file() and each.stat().st_size]
        victim = draw.choice(files)
        with victim.open("r+b") as file:
            file.truncate(draw.randrange(1, victim.stat().st_size))

        with (
            suppress(holdfast.StorageUnavailable, holdfast.CheckpointCorrupted),
            holdfast.open(target_in(cut, kind), settings={"write_timeout": 0.0}) as engine,
        ):
            errors += 1
            # What can be made anew (an index, a pointer) is.
            assert content_of(engine) == contents, victim
            errors -= 1

    assert errors < 60


def _fill(engine: holdfast.Engine, saved: list[str]) -> None:
    for number in range(1000):
        text = Random(number).randbytes(10_000).hex()
        saved.append(str(engine.checkpoint("log", name=f"{number}", patch={"t": text}).id))


def _mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True)
