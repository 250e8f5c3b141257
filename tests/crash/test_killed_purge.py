"""A purge that is killed at random moments: nothing is broken in between, and the next finishes."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import holdfast
import pytest
from holdfast.domain.json_value import canonical

from .conftest import PROGRAMS, target_in

# How many checkpoints, and seconds that a purge of them takes at the most.
_SIZES = {"sqlite": (400, 0.25), "json": (48, 0.3)}


@dataclass(frozen=True)
class History:
    """A store with two workflows, one of which branches and has something open."""

    target: str
    longest: float

    def copy_to(self, folder: Path) -> str:
        """Put a copy of it into an empty folder; return its target."""
        path = self.target.removeprefix("json:")
        if path == self.target:
            return str(shutil.copy(path, folder / "store.db"))
        shutil.copytree(path, folder / "store")
        return f"json:{folder / 'store'}"


@pytest.fixture(scope="module", params=["sqlite", "json"])
def history(request: pytest.FixtureRequest) -> Iterator[History]:
    rows, longest = _SIZES[request.param]
    with _room() as folder:
        target = target_in(folder, request.param)
        with holdfast.open(target, durability="process") as engine:
            for name in ("plain", "branched"):
                _write(engine, name, rows)
        yield History(target, longest)


def _write(engine: holdfast.Engine, name: str, rows: int) -> None:
    engine.checkpoint(name, resume_handler="h")
    engine.checkpoint(name, state={"base": "x" * 3000})
    for number in range(rows):
        if number == rows // 4:
            engine.checkpoint(name, type="stage_start", stage_id="open")
        back = name == "branched" and number == rows * 3 // 4
        parent = f"{name}@{rows // 8}" if back else None
        engine.checkpoint(name, patch={"n": number, f"k{number % 9}": "y"}, parent=parent)


@contextmanager
def _room() -> Iterator[Path]:
    """Give an empty folder, in memory where the system has room there: thousands of files."""
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(dir=base) as folder:
        yield Path(folder)


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.deep)])
def test_purge_when_killed_again_and_again_then_all_that_is_left_is_whole_and_the_next_finishes(
    history: History, kills: int
) -> None:
    draws = random.Random(kills)
    killed = 0
    contexts = _contexts_of(history.target)
    while killed < kills:
        with _room() as folder:
            target = history.copy_to(folder)
            left = set(contexts)
            while killed < kills:
                was_killed = _purge_and_kill(target, draws.uniform(0, history.longest))
                killed += 1
                found = _contexts_of(target)
                assert set(found) <= left
                assert {name: contexts[name] for name in found} == found
                left = set(found)
                if not was_killed:
                    break
            _require_that_the_next_finishes(target, left)


def _require_that_the_next_finishes(target: str, left: set[str]) -> None:
    with holdfast.open(target) as engine:
        engine.purge(keep=10)
        kept = {str(each.id) for each in engine.list(limit=None)}
        assert kept <= left
        assert len(kept) == 12 + 11, "10 newest of each, its opening, and the stage still open"
        assert engine.purge(keep=10).checkpoints == 0
        assert engine.verify().intact
    if not target.startswith("json:"):
        with closing(sqlite3.connect(target)) as raw:
            assert raw.execute("PRAGMA freelist_count").fetchone() == (0,)


def _purge_and_kill(target: str, after: float) -> bool:
    """Purge in a process, killed so many seconds after it began; return whether it was."""
    program = [sys.executable, str(PROGRAMS / "purger.py"), target]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "purging\n"
        threading.Event().wait(after)
        process.kill()
        process.communicate()
        return process.returncode != 0


def _contexts_of(target: str) -> dict[str, str]:
    with holdfast.open(target) as engine:
        return {
            str(each.id): canonical(engine.context(each.id).to_dict())
            for each in engine.list(limit=None)
        }
