"""Stores of both kinds that lie on a disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "json"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def place(tmp_path: Path, kind: str) -> Path:
    """Return where a store is to be: in a folder of its own, with nothing beside it."""
    (tmp_path / "in").mkdir()
    return tmp_path / "in" / ("files" if kind == "json" else "store.db")


@pytest.fixture
def target(place: Path, kind: str) -> str:
    return f"json:{place}" if kind == "json" else str(place)


@pytest.fixture
def outside(tmp_path: Path, place: Path) -> Iterator[Path]:
    """Return a folder with a file that nobody is to touch, and see to it that nobody did."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "precious").write_text("as it was")
    yield folder
    assert [each.name for each in folder.iterdir()] == ["precious"]
    assert (folder / "precious").read_text() == "as it was"
