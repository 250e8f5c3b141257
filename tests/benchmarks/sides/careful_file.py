"""What careful people write by hand: one JSON file, replaced as a whole and synced."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson


def save(folder: Path, state: dict[str, Any]) -> None:
    """Replace the state; on return it is durable, and at no moment half written."""
    written = folder / "state.json.tmp"
    with written.open("wb") as file:
        file.write(orjson.dumps(state))
        file.flush()
        os.fsync(file.fileno())
    written.replace(folder / "state.json")
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
