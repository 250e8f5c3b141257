"""Where a repair puts what it takes out of a store: a file beside it, one line of JSON a row."""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ...domain.errors import StorageUnavailable


class Quarantine:
    """A file that only grows, and that only its owner can read.

    What is put here is synced before the transaction that takes it out of the store commits: cut
    short between the two it is in both.
    """

    def __init__(self, store: Path) -> None:
        self.path = store.with_name(f"{store.name}-quarantine")
        self._lines: list[bytes] = []

    @property
    def is_used(self) -> bool:
        """Whether anything was put here."""
        return bool(self._lines)

    def put(
        self, table: str, rowid: int, columns: Mapping[str, Any], why: str, at: datetime
    ) -> None:
        """Note a row as it stands, with the reason; `sync` makes it durable."""
        line = {
            "quarantined_at": at.isoformat(),
            "why": why,
            "table": table,
            "rowid": rowid,
            "columns": {name: _plain(value) for name, value in columns.items()},
        }
        # ASCII, so that damaged text, which no UTF-8 can hold, stands here all the same.
        self._lines.append(json.dumps(line).encode() + b"\n")

    def sync(self) -> None:
        """Write down what was put here; raises `StorageUnavailable`."""
        if not self._lines:
            return
        try:
            flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW
            handle = os.open(self.path, flags, 0o600)
            try:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise StorageUnavailable(f"{self.path} is not a file; move it away")
                _write(handle, b"".join(self._lines))
                os.fsync(handle)
            finally:
                os.close(handle)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise StorageUnavailable(
                f"{self.path} cannot be written: {error.strerror}; nothing was repaired"
            ) from error


def _write(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    return value
