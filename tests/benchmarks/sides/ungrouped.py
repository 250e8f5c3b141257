"""An engine that commits each save on its own, to see what sharing a commit costs or gives."""

from __future__ import annotations

import inspect
from functools import partial
from pathlib import Path
from typing import Any

import holdfast
from holdfast.infrastructure.sqlite.store import SqliteStore

from ..interleave import Absent

_KEYWORD = "together"


def open_ungrouped(path: Path) -> holdfast.Engine | Absent:
    """Open an engine without group commit; `Absent` while the store has no such switch.

    The switch is no setting for users, so it is turned where the engine opens its store.
    """
    opening: Any = SqliteStore.open
    if _KEYWORD not in inspect.signature(opening).parameters:
        return Absent(f"not available: SqliteStore.open has no keyword {_KEYWORD!r}")
    inherited = SqliteStore.__dict__["open"]
    SqliteStore.open = partial(opening, **{_KEYWORD: False})  # type: ignore[method-assign]
    try:
        return holdfast.open(path)
    finally:
        SqliteStore.open = inherited  # type: ignore[method-assign]
