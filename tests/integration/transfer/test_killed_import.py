"""An import that is killed: nothing of it is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import holdfast
import pytest

PROGRAM = Path(__file__).parent / "programs" / "importing.py"
SOURCES = Path(holdfast.__file__).parent.parent


@pytest.mark.parametrize("kind", ["", "json:"])
@pytest.mark.parametrize("after", [0, 60, 200])
def test_import_when_killed_then_the_store_holds_nothing_and_takes_it_the_next_time(
    tmp_path: Path, exported: bytes, after: int, kind: str
) -> None:
    source = tmp_path / "full.jsonl"
    target = f"{kind}{tmp_path / 'b.db'}"
    _kill_an_import(target, source, "open", after)

    with holdfast.open(target, create=False) as engine:
        assert not engine.list() and not engine.workflows() and not engine.events()
        engine.import_from(source)
        engine.export_to(tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == exported


@pytest.mark.parametrize("kind", ["", "json:"])
@pytest.mark.parametrize("after", [1, 200])
def test_import_into_a_new_store_when_killed_then_there_is_none(
    tmp_path: Path, exported: bytes, after: int, kind: str
) -> None:
    assert exported
    _kill_an_import(f"{kind}{tmp_path / 'b.db'}", tmp_path / "full.jsonl", "new", after)

    assert not (tmp_path / "b.db").exists()
    left = {each.name for each in tmp_path.iterdir()} - {"full.db", "full.jsonl"}
    assert all(each.startswith(".holdfast-") for each in left)


def _kill_an_import(store: str, source: Path, way: str, after: int) -> None:
    command = [sys.executable, str(PROGRAM), store, str(source), way, str(after)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "there\n"
        finally:
            process.kill()
