"""Holds a store's write lock until told to let go; a program of its own for `lock_holder`."""

from __future__ import annotations

import sqlite3
import sys


def main(path: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    print("locked", flush=True)
    sys.stdin.readline()
    connection.execute("COMMIT")
    print("free", flush=True)
    # Until it is ended, so that nothing but the lock changes.
    sys.stdin.readline()


if __name__ == "__main__":
    main(sys.argv[1])
