"""A purge that is killed at random moments: nothing is broken in between, and the next finishes."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import holdfast
import pytest
from holdfast.domain.json_value import canonical

from .conftest import PROGRAMS

_ROWS = 400
_LONGEST = 0.25


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two workflows, one of which branches and has something open."""
    path = tmp_path_factory.mktemp("history") / "store.db"
    with holdfast.open(path, durability="process") as engine:
        for name in ("plain", "branched"):
            engine.checkpoint(name, resume_handler="h")
            engine.checkpoint(name, state={"base": "x" * 3000})
            for number in range(_ROWS):
                if number == 100:
                    engine.checkpoint(name, type="stage_start", stage_id="open")
                parent = f"{name}@50" if name == "branched" and number == 300 else None
                engine.checkpoint(name, patch={"n": number, f"k{number % 9}": "y"}, parent=parent)
    return path


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.deep)])
def test_purge_when_killed_again_and_again_then_all_that_is_left_is_whole_and_the_next_finishes(
    history: Path, tmp_path: Path, kills: int
) -> None:
    draws = random.Random(kills)
    killed = 0
    path = tmp_path / "store.db"
    contexts = _contexts_of(history)
    while killed < kills:
        shutil.copyfile(history, path)
        left = set(contexts)
        while killed < kills:
            was_killed = _purge_and_kill(path, draws.uniform(0, _LONGEST))
            killed += 1
            found = _contexts_of(path)
            assert set(found) <= left
            assert {name: contexts[name] for name in found} == found
            left = set(found)
            if not was_killed:
                break
        with holdfast.open(path) as engine:
            engine.purge(keep=10)
            kept = {str(each.id) for each in engine.list(limit=None)}
            assert kept <= left
            assert len(kept) == 12 + 11, "10 newest of each, its opening, and the stage still open"
            assert engine.purge(keep=10).checkpoints == 0
        with closing(sqlite3.connect(path)) as raw:
            assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert raw.execute("PRAGMA freelist_count").fetchone() == (0,)
        for each in path.parent.glob("store.db*"):
            each.unlink()


def _purge_and_kill(path: Path, after: float) -> bool:
    """Purge in a process, killed so many seconds after it began; return whether it was."""
    program = [sys.executable, str(PROGRAMS / "purger.py"), str(path)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "purging\n"
        threading.Event().wait(after)
        process.kill()
        process.communicate()
        return process.returncode != 0


def _contexts_of(path: Path) -> dict[str, str]:
    with holdfast.open(path) as engine:
        return {
            str(each.id): canonical(engine.context(each.id).to_dict())
            for each in engine.list(limit=None)
        }
