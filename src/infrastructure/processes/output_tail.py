"""The end of what a process prints, however much that is."""

from __future__ import annotations

import threading
from collections import deque


class OutputTail:
    """Keeps the last *limit* bytes of several streams, in the order in which they came."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._parts: deque[bytes] = deque()
        self._held = 0
        self._was_cut = False

    def add(self, data: bytes) -> None:
        """Append *data*, and let go of what is too long ago."""
        with self._lock:
            self._parts.append(data)
            self._held += len(data)
            while self._held - len(self._parts[0]) >= self._limit:
                self._held -= len(self._parts.popleft())
                self._was_cut = True

    def text(self) -> str:
        """Return the end as text; what is not UTF-8 is shown as escapes."""
        with self._lock:
            whole = b"".join(self._parts)
            was_cut = self._was_cut or len(whole) > self._limit
        text = whole[-self._limit :].decode("utf-8", "backslashreplace")
        return f"…{text}" if was_cut else text
