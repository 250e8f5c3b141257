"""The processes of this host, as ``/proc`` tells of them."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from ..domain.lease import Owner
from .clock import read_boot_id

_PROC = Path("/proc")
_ZOMBIE_STATES = ("Z", "X", "x")
# Fields of /proc/PID/stat after the command's closing parenthesis: the state is field 3 of the
# manual page, the start time field 22.
_STATE, _START_TIME = 0, 19


class LocalHost:
    """Knows the processes of this host.

    What cannot be read means alive: on systems without ``/proc`` nobody is ever provably gone, and
    leases run out by time alone.
    """

    def __init__(self) -> None:
        self._owner = _this_process()

    def owner(self) -> Owner:
        """Return who this process is; another value after a fork."""
        if self._owner.pid != os.getpid():
            self._owner = _this_process()
        return self._owner

    def is_gone(self, owner: Owner) -> bool:
        """Whether *owner* is provably gone."""
        us = self.owner()
        if owner.boot_id is None or us.boot_id is None:
            return False
        if owner.boot_id != us.boot_id:
            # The same host, started again. Another host's processes cannot be judged from here.
            return owner.host == us.host
        if owner.pid_namespace is None or owner.pid_namespace != us.pid_namespace:
            return False
        return _is_gone(owner.pid, owner.started)


def _this_process() -> Owner:
    pid = os.getpid()
    try:
        found = _stat(pid)
    except FileNotFoundError:  # no /proc
        found = None
    return Owner(
        host=platform.node(),
        boot_id=read_boot_id(),
        pid_namespace=_pid_namespace(),
        pid=pid,
        started=found[1] if found else None,
    )


def _is_gone(pid: int, started: int | None) -> bool:
    try:
        found = _stat(pid)
    except FileNotFoundError:
        return _is_missing(pid)
    if found is None:
        return False
    state, start_time = found
    return state in _ZOMBIE_STATES or (started is not None and start_time != started)


def _is_missing(pid: int) -> bool:
    """Whether there is no such process; one that /proc merely hides is there (hidepid)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return _PROC.joinpath("self").exists()
    except OSError:
        return False
    return False


def _stat(pid: int) -> tuple[str, int] | None:
    """Return a process's state and start time; ``None`` where that cannot be read.

    Raises:
        FileNotFoundError: there is no such process.
    """
    try:
        text = _PROC.joinpath(str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        raise FileNotFoundError(pid) from None
    except OSError:
        return None
    # The command, in parentheses, may itself contain parentheses and spaces.
    fields = text.rpartition(")")[2].split()
    try:
        return fields[_STATE], int(fields[_START_TIME])
    except (IndexError, ValueError):
        return None


def _pid_namespace() -> str | None:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return None
