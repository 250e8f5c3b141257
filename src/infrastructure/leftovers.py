"""What imports, exports and backups leave beside a store when they are killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .holders import holders_below


def partial_leftovers(store: Path) -> Iterator[Path]:
    """Iterate over what was made beside a store, was never put in place, and nobody has open."""
    for each in sorted(store.parent.glob(".holdfast-*.partial*")):
        if not holders_below(each):
            yield each


def leftover_text(path: object) -> str:
    """Return what to do about a file that is left over."""
    return (
        f"{path} is left over, and no process has it open; unless an import, an export or a backup "
        "is under way, it can be removed"
    )
