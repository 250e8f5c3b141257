"""What Linux offers to keep hold of processes; elsewhere these do nothing."""

from __future__ import annotations

import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent ends; return whether that holds.

    So no double fork and no new session takes a descendant out of sight.
    """
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> bool:
    """Let the system kill this process when its parent ends, however that ends."""
    return _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> bool:
    if sys.platform != "linux":
        return False
    import ctypes

    try:
        result: int = ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
        return result == 0
    except (OSError, AttributeError):
        return False
