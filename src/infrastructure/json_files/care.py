"""What cannot be done for a store of JSON files yet, and what to do instead."""

from __future__ import annotations

from pathlib import Path

from ...domain.errors import InvalidRequest


def no_repair(target: str) -> InvalidRequest:
    """Return the error that says so."""
    return InvalidRequest(
        f"{target}: a store of JSON files is not repaired yet; restore the damaged files from a "
        "copy. Its index and pointers are made anew by themselves"
    )


def no_backup(path: Path) -> InvalidRequest:
    """Return the error that says so."""
    return InvalidRequest(
        f"a store of JSON files is not backed up to {path} by this; copy its folder while nobody "
        "writes to it"
    )
