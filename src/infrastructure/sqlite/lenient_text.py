"""Reading past text that is not text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lenient_text(connection: sqlite3.Connection) -> Iterator[None]:
    """Read damaged text as text that no seal fits, instead of ending the query.

    Whoever lists rows can so pass over one; every row must be held against its seal.
    """
    before = connection.text_factory
    connection.text_factory = _decode
    try:
        yield
    finally:
        connection.text_factory = before


def _decode(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
