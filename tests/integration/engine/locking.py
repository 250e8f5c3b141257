"""Keeps a store from being written, as another process does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import connect

from filelock import FileLock


@contextmanager
def locked(target: str) -> Iterator[None]:
    """Hold the lock of a store for the block."""
    if target.startswith("json:"):
        # Not the store's own object: this one's file handle is another one, as in a process.
        with FileLock(Path(target.removeprefix("json:")) / "lock", thread_local=False):
            yield
        return
    with closing(connect(target, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
