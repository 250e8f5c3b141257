"""The orchard, grown once for all tests here: they look at it, and change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import orchard
from .screens import plant


@pytest.fixture(scope="session")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the store ``orchard.db`` and the program ``crew.py``."""
    return plant(tmp_path_factory.mktemp("garden"))


@pytest.fixture
def clock() -> orchard.OrchardClock:
    return orchard.OrchardClock()
