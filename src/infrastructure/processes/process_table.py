"""Which processes descend from which, as ``/proc`` tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
# Fields of /proc/PID/stat after the command's closing parenthesis: 3, 4 and 6 of the manual.
_STATE, _PARENT, _SESSION = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the process table."""

    pid: int
    parent: int
    session: int
    is_zombie: bool


def entries() -> Iterator[Entry]:
    """Yield the processes that can be seen; nothing where there is no ``/proc``."""
    if not _PROC.joinpath("self", "stat").exists():
        return
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            found = _entry(int(folder.name))
            if found is not None:
                yield found


def descendants(pid: int) -> list[int]:
    """Return the living processes below *pid*, children first."""
    children: dict[int, list[Entry]] = {}
    for each in entries():
        children.setdefault(each.parent, []).append(each)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for each in children.get(waiting.pop(0), []):
            waiting.append(each.pid)
            if not each.is_zombie:
                found.append(each.pid)
    return found


def of_session(leader: int) -> list[int]:
    """Return the living processes of the session that *leader* began."""
    return [each.pid for each in entries() if each.session == leader and not each.is_zombie]


def _entry(pid: int) -> Entry | None:
    try:
        text = _PROC.joinpath(str(pid), "stat").read_text(encoding="utf-8", errors="replace")
        # The command, in parentheses, may itself contain parentheses and spaces.
        fields = text.rpartition(")")[2].split()
        return Entry(pid, int(fields[_PARENT]), int(fields[_SESSION]), fields[_STATE] in "ZXx")
    except (OSError, ValueError, IndexError):
        return None  # gone in between
