"""A store with something of everything, closed; copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import holdfast
import pytest


def _fill(path: Path) -> None:
    app = holdfast.Registry()

    @app.workflow("crew", max_retries=2)
    def crew(run: holdfast.Run) -> Any:
        with run.stage("read", kind="parallel") as stage:
            parts = stage.map(str.upper, ["a", "b"])
        if run.input == "bad":
            raise ValueError("no luck")
        return parts

    with holdfast.open(path, registry=app) as engine:
        engine.start("crew", workflow_id="done", input="good")
        with pytest.raises(ValueError, match="no luck"):
            engine.start("crew", workflow_id="failed", input="bad")
        engine.checkpoint("flight", state={"n": 0}, resume_handler="crew")
        for n in range(1, 100):
            engine.checkpoint("flight", state={"n": n, "text": "x" * 50})
        for n in range(5):
            engine.checkpoint("record", state={"n": n})


@pytest.fixture(scope="session")
def filled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("care") / "filled.db"
    _fill(path)
    return path


@pytest.fixture
def path(tmp_path: Path, filled_file: Path) -> Path:
    """A copy of the filled store, which nobody has open."""
    path = tmp_path / "store.db"
    shutil.copyfile(filled_file, path)
    return path


@pytest.fixture
def behind(path: Path) -> Callable[..., list[Any]]:
    """Run SQL on the file behind the store's back, while nobody has it open."""

    def do(text: str, *values: object) -> list[Any]:
        with closing(connect(path, isolation_level=None)) as raw:
            return raw.execute(text, values).fetchall()

    return do
