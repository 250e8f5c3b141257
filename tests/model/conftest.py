"""Room for stores that are made and thrown away by the hundred."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def quick_room() -> Iterator[Path]:
    """Return a folder in memory where the machine has one: what a sync does is not the question."""
    shared = Path("/dev/shm")  # noqa: S108
    made = Path(tempfile.mkdtemp(prefix="holdfast-", dir=shared if shared.is_dir() else None))
    yield made
    shutil.rmtree(made)
