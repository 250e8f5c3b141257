"""Where a repair puts what it takes out of a store: a folder in it that nothing reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from . import layout
from .file_operations import Files

NOTES = "notes.jsonl"


class Quarantine:
    """Files as they were, under the paths that they had, and a note for each; only its owner reads.

    What is put here is synced before the transaction that takes it out of the store: cut short
    between the two it is in both.

    Attributes:
        path: the folder of this repair; earlier ones have their own.
    """

    def __init__(self, folder: Path, files: Files, at: datetime) -> None:
        self._files = files
        self._at = at.isoformat()
        self._notes: list[bytes] = []
        stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self.path = folder / layout.QUARANTINE / stamp
        again = 1
        while files.exists(self.path):
            again += 1
            self.path = folder / layout.QUARANTINE / f"{stamp}-{again}"

    @property
    def is_used(self) -> bool:
        """Whether anything was put here."""
        return bool(self._notes)

    def put(self, file: str, content: bytes, why: str) -> None:
        """Keep what a file of the store holds, with the reason; raises `FileTrouble`."""
        self._write(self.path / file, content)
        note = {"quarantined_at": self._at, "file": file, "why": why}
        self._notes.append(json.dumps(note).encode() + b"\n")

    def sync(self) -> None:
        """Write the notes down; raises `FileTrouble`."""
        if self._notes:
            self._write(self.path / NOTES, b"".join(self._notes))

    def _write(self, path: Path, content: bytes) -> None:
        changed = self._files.make_folders(path.parent)
        self._files.write(path, content)
        for folder in changed | {path.parent}:
            self._files.sync_folder(folder)
