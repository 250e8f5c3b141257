"""What is in force for a store in a folder, and what is to be worried about."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from ...domain.json_value import JsonObject
from ..leftovers import leftover_text, partial_leftovers
from . import layout
from .documents import SCHEMA

_OF_MANY_HOSTS = frozenset(
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "lustre", "afs", "gpfs"]
)


def condition_of(folder: Path, *, honours_locks: bool, is_stuck: bool) -> JsonObject:
    """Return the facts about a store's folder, as found, and the warnings that follow.

    Args:
        honours_locks: whether a second one was refused while the lock was held.
        is_stuck: whether the journal held a transaction that cannot be carried out.
    """
    system = _file_system(folder)
    facts: JsonObject = {
        "durability": "power",
        "schema": SCHEMA,
        "path": str(folder),
        "lock": f"filelock {version('filelock')}",
        "locks_are_honoured": honours_locks,
        "file_system": system,
        "readable_by_others": bool(folder.stat().st_mode & 0o077),
        "journal_is_stuck": is_stuck,
        "orjson": version("orjson"),
        "python": sys.version.split()[0],
        "leftovers": list(map(str, partial_leftovers(folder))),
    }
    facts["warnings"] = list(_warnings(facts, folder))
    return facts


def _warnings(facts: JsonObject, folder: Path) -> Iterator[str]:
    if not facts["locks_are_honoured"]:
        yield (
            f"two can hold the lock of {folder} at once: its file system has no locks that work; "
            "move the store to a local disk before anything else writes to it"
        )
    system = facts["file_system"]
    if system in _OF_MANY_HOSTS or str(system).startswith("fuse"):
        yield (
            f"{folder} is on {system}: whether its locks hold between hosts cannot be told; let "
            "the processes of one host use it"
        )
    if facts["readable_by_others"]:
        yield f"{folder} can be read or written by others; `chmod 700` it"
    if facts["journal_is_stuck"]:
        yield (
            f"{folder / layout.JOURNAL} is damaged, and nothing can be read or written as long as "
            "it is there; `holdfast doctor --repair` goes on without it"
        )
    for each in facts["leftovers"]:
        yield leftover_text(each)


def _file_system(folder: Path) -> str:
    """Return the type of the file system that a folder is on, where the system tells."""
    best, found = "", "unknown"
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return found
    path = f"{folder.resolve()}/"
    for line in mounts.splitlines():
        _, at, system, *_ = line.split(" ")
        at = at.replace("\\040", " ").rstrip("/") + "/"
        if path.startswith(at) and len(at) >= len(best):
            best, found = at, system
    return found
