"""What is durable before what: as recorded in the process, and as the system sees it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.infrastructure.json_files.file_operations import Files
from holdfast.infrastructure.json_files.store import JsonFileStore

OpenStore = Callable[..., JsonFileStore]
Save = Callable[..., Checkpoint]

TMP = ".tmp"


def _require_order(steps: list[tuple[str, Path]]) -> None:
    """Raise when a name is given to what is not synced, or relied on before its folder is."""
    synced: set[Path] = set()
    unsynced_names: set[Path] = set()
    committed = False
    for operation, path in steps:
        if operation in ("write", "append"):
            synced.discard(path)
            assert path.name.endswith(TMP) or operation == "append", f"{path} is written in place"
        elif operation == "sync":
            synced.add(path)
        elif operation == "make folder":
            unsynced_names.add(path.parent)
        elif operation == "sync folder":
            unsynced_names.discard(path)
        elif operation == "rename":
            assert path.with_name(path.name + TMP) in synced, f"{path} is renamed unsynced"
            is_commit = path.name == "commit.json"
            assert is_commit or committed, f"{path} is changed before the commit"
            unsynced_names.add(path.parent)
        elif operation == "remove" and path.name == "commit.json":
            assert not unsynced_names - {path.parent}, f"forgotten before {unsynced_names}"
        if operation == "sync folder" and path.name == "journal":
            committed = True
        if operation == "append":
            assert committed, "the index is changed before the commit"


def test_save_when_recorded_then_nothing_is_relied_on_before_it_is_synced(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    steps: list[tuple[str, Path]] = []
    looking = ("read", "list")
    files = Files(lambda name, path: steps.append((name, path)) if name not in looking else None)
    store = open_store(folder, files=files)
    for scope, type_ in (("wf", "workflow_start"), ("wf/s", "stage_start"), ("wf", "progress")):
        steps.clear()
        save(store, scope, type_, state={"n": 1})
        _require_order(steps)
        names = [operation for operation, _ in steps]
        assert names[:4] == ["write", "sync", "rename", "sync folder"] or "make folder" in names
        assert steps[-1] == ("remove", folder / "journal" / "commit.json")


def test_save_when_it_only_adds_to_a_workflow_then_seven_syncs(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    steps: list[str] = []
    store = open_store(folder, files=Files(lambda name, _: steps.append(name)))
    save(store)
    steps.clear()

    save(store)

    # Journal, checkpoint, pointer and index; and the folders of the first three.
    assert (steps.count("sync"), steps.count("sync folder")) == (4, 3)


def test_order_when_a_sync_is_left_out_then_the_check_says_so(folder: Path) -> None:
    path = folder / "journal" / "commit.json"

    with pytest.raises(AssertionError, match="renamed unsynced"):
        _require_order([("write", path.with_name("commit.json.tmp")), ("rename", path)])


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace on this machine")
def test_save_when_the_system_calls_are_traced_then_they_come_in_that_order(
    tmp_path: Path,
) -> None:
    program = (
        "import sys, holdfast\n"
        "with holdfast.open(sys.argv[1]) as engine:\n"
        "    engine.checkpoint('wf', name='first')\n"
        "    print('mark', flush=True)\n"
        "    engine.checkpoint('wf', name='second', state={'n': 1})\n"
        "    print('mark', flush=True)\n"
    )
    trace = tmp_path / "trace"
    calls = "trace=openat,open,fsync,fdatasync,rename,renameat,renameat2,unlink,close,write"
    traced = subprocess.run(
        ["strace", "-f", "-y", "-e", calls, "-o", str(trace)]
        + [sys.executable, "-c", program, f"json:{tmp_path / 'store'}"],
        capture_output=True,
        text=True,
    )
    if traced.returncode != 0:
        pytest.skip(f"strace is not allowed here: {traced.stderr[-200:]}")

    between = trace.read_text().split('"mark')[1]
    steps = [step for line in between.splitlines() if (step := _step_of(line)) is not None]

    _require_order(steps)
    names = [operation for operation, _ in steps]
    assert (names.count("sync"), names.count("sync folder")) == (4, 3)
    assert names.count("rename") == 3


def _step_of(line: str) -> tuple[str, Path] | None:
    """Return what a system call does, in our words."""
    synced = re.search(r"f(?:data)?sync\(\d+<(.+?)>", line)
    if synced:
        path = Path(synced[1])
        return ("sync folder" if path.is_dir() else "sync"), path
    renamed = re.search(r'rename\w*\(.*"(.+?)"(?:, 0)?\) *=', line)
    if renamed:
        return "rename", Path(renamed[1])
    written = re.search(r"write\(\d+<(.+?)>", line)
    if written and "/store/" in written[1]:
        return ("append" if written[1].endswith(".log") else "write"), Path(written[1])
    removed = re.search(r'unlink\("(.+?)"', line)
    return ("remove", Path(removed[1])) if removed else None
