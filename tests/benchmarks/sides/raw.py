"""The bare minimum: a row a state with sqlite3 and orjson, in WAL mode, synced at each commit."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import orjson


class RawStore:
    """Saves states as rows; each save is a durable commit of its own."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS checkpoints (workflow TEXT NOT NULL, "
            "sequence INTEGER NOT NULL, state BLOB NOT NULL, PRIMARY KEY (workflow, sequence))"
        )

    def save(self, workflow: str, sequence: int, state: dict[str, Any]) -> None:
        """Save a full copy; on return it is durable."""
        self.connection.execute(
            "INSERT INTO checkpoints VALUES (?, ?, ?)", (workflow, sequence, orjson.dumps(state))
        )

    def close(self) -> None:
        self.connection.close()
