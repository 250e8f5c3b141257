"""Rooms that are quick to write to, and children whose disk is watched."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import preloaded_disk

ROOT = Path(__file__).parents[2]
PATIENCE = 900.0

RunProgram = Callable[..., str]


@pytest.fixture
def room() -> Iterator[Path]:
    """An empty folder, in memory where the system has room there: thousands of files are synced."""
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(dir=base) as folder:
        yield Path(folder)


@pytest.fixture(params=["sqlite", "json"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which kind of store it is: everything is tried on each."""
    kind: str = request.param
    return kind


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path | str:
    """The library that is preloaded, or why there is none."""
    return preloaded_disk.build(tmp_path_factory.mktemp("disk"))


@pytest.fixture
def run_program(kind: str, library: Path | str) -> RunProgram:
    """Run a program of this folder, with the disk of its stores watched; return what it printed."""
    return _runner(kind, library)


@pytest.fixture
def run_on_sqlite(library: Path | str) -> RunProgram:
    """Do the same for what is about SQLite alone."""
    return _runner("sqlite", library)


def _runner(kind: str, library: Path | str) -> RunProgram:
    # What SQLite does is seen by a preloaded library alone; JSON files take no tool.
    if kind == "sqlite" and isinstance(library, str):
        pytest.skip(library)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    if kind == "sqlite":
        environment["LD_PRELOAD"] = str(library)

    def run(program: str, *arguments: object) -> str:
        command = [sys.executable, "-m", f"tests.faults.{program}", *map(str, arguments)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    return run
