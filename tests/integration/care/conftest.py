"""Stores with something of everything, closed; copied for each test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import holdfast
import pytest


def _fill(target: str) -> None:
    app = holdfast.Registry()

    @app.workflow("crew", max_retries=2)
    def crew(run: holdfast.Run) -> Any:
        with run.stage("read", kind="parallel") as stage:
            parts = stage.map(str.upper, ["a", "b"])
        if run.input == "bad":
            raise ValueError("no luck")
        return parts

    with holdfast.open(target, registry=app) as engine:
        engine.start("crew", workflow_id="done", input="good")
        with pytest.raises(ValueError, match="no luck"):
            engine.start("crew", workflow_id="failed", input="bad")
        engine.checkpoint("flight", state={"n": 0}, resume_handler="crew")
        for n in range(1, 100):
            engine.checkpoint("flight", state={"n": n, "text": "x" * 50})
        for n in range(5):
            engine.checkpoint("record", state={"n": n})


@pytest.fixture(scope="session")
def shm() -> Iterator[Path]:
    """An empty folder, in memory where the system has room there."""
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(dir=base) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def filled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("care") / "filled.db"
    _fill(str(path))
    return path


@pytest.fixture(scope="session")
def filled_folder(shm: Path) -> Path:
    folder = shm / "filled"
    _fill(f"json:{folder}")
    return folder


@pytest.fixture
def path(tmp_path: Path, filled_file: Path) -> Path:
    """A copy of the filled store, which nobody has open."""
    path = tmp_path / "store.db"
    shutil.copyfile(filled_file, path)
    return path


@pytest.fixture
def folder(shm: Path, filled_folder: Path) -> Iterator[Path]:
    """A copy of the filled store of JSON files, which nobody has open."""
    room = Path(tempfile.mkdtemp(dir=shm))
    shutil.copytree(filled_folder, room / "store")
    yield room / "store"
    shutil.rmtree(room)


@pytest.fixture
def behind(path: Path) -> Callable[..., list[Any]]:
    """Run SQL on the file behind the store's back, while nobody has it open."""

    def do(text: str, *values: object) -> list[Any]:
        with closing(connect(path, isolation_level=None)) as raw:
            return raw.execute(text, values).fetchall()

    return do


@pytest.fixture
def spoil(folder: Path) -> Callable[[str], Path]:
    """Flip a bit in the middle of the one file that a pattern names; return its path."""

    def do(pattern: str) -> Path:
        (found,) = folder.glob(pattern)
        content = bytearray(found.read_bytes())
        content[len(content) // 2] ^= 1
        found.write_bytes(content)
        return found

    return do
