"""Each warning caused once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .causes import behind, opened

WARNED: list[tuple[str, Callable[[Path], object]]] = []


def _damaged(room: Path) -> None:
    with opened(room) as engine:
        engine.checkpoint("nightly", name="first")
    behind(room, "UPDATE checkpoints SET name = 'second'")
    with opened(room) as engine:
        engine.list()


WARNED.append(("listing past a changed row", _damaged))
