"""Finding the peers: programs of others, compared with where they are installed."""

from __future__ import annotations

import importlib
import importlib.util
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..interleave import Absent

PEERS = {
    "langgraph-checkpoint-sqlite": "langgraph.checkpoint.sqlite",
    "aiosqlite": "aiosqlite",
    "langgraph": "langgraph.graph",
    "dbos": "dbos",
    "eventsourcing": "eventsourcing.sqlite",
}


def lacking(*names: str) -> Absent | None:
    """Return what to say when one of these is not installed; ``None`` when all are there."""
    absent = [name for name in names if not _is_there(name)]
    if not absent:
        return None
    return Absent(f"peer not installed: pip install {' '.join(absent)}")


def versions() -> dict[str, str | None]:
    """Return the version of every peer; ``None`` for one that is not installed."""
    return {name: _version(name) for name in PEERS}


def module(name: str) -> Any:
    """Import a module of a peer. They are not there when types are checked, so it is `Any`."""
    return importlib.import_module(name)


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(PEERS[name]) is not None
    except ModuleNotFoundError:
        return False


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
