"""SIGTERM ends a command like Ctrl-C: what it holds is handed back first."""

from __future__ import annotations

import signal
from types import FrameType

_received: list[int] = []


def end_on_sigterm() -> None:
    """From now on let SIGTERM interrupt like SIGINT. For the command line's own process only."""
    signal.signal(signal.SIGTERM, _interrupt)


def received_any() -> bool:
    """Whether SIGTERM interrupted the command."""
    return bool(_received)


def received() -> int:
    """Return the signal that interrupted the command."""
    return _received[-1] if _received else signal.SIGINT


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    _received.append(number)
    if not callable(signal.getsignal(signal.SIGINT)):
        # Ignored, as in the background of a shell script.
        raise KeyboardInterrupt
    # Whoever handles SIGINT now (Python itself, or asyncio's runner) does the rest.
    signal.raise_signal(signal.SIGINT)
