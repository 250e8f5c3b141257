"""How names, values and sizes stand in a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NAMES_SHOWN = 10


def shorten(value: object) -> str:
    """Return a value as it stands in a message: printable ASCII, of bounded length."""
    try:
        return shorten_text(ascii(value))
    except Exception:  # noqa: BLE001 - an integer of 5,000 digits, a repr that raises
        return f"(a value of type {type(value).__name__})"


def near_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the known names that were probably meant, the nearest first."""
    import difflib  # late: messages are seldom made, and who starts may need one

    return tuple(difflib.get_close_matches(name, list(known), n=3))


def known_names(name: str, known: Sequence[str]) -> str:
    """Return what is known instead of *name*, for a message: near ones first, not all of many."""
    if not known:
        return "known: none"
    near = near_names(name, known)
    shown = [*near, *(each for each in known if each not in near)][:_NAMES_SHOWN]
    more = len(known) - len(shown)
    return (
        (f"did you mean {' or '.join(map(repr, near))}? " if near else "")
        + f"known: {', '.join(shown)}"
        + (f" and {more} more" if more else "")
    )


def ending_of(exit_code: int | None) -> str:
    """Return how a process ended, by its exit code: negative for a signal."""
    if exit_code is None or exit_code >= 0:
        return f"ended with exit status {exit_code}"
    return f"was killed by {_signal_name(-exit_code)}"


def shorten_text(text: str, limit: int = 120) -> str:
    """Return a text of bounded length, in characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def size_of(count: int) -> str:
    """Return a number of bytes as people read it."""
    if count < 10_000:
        return f"{count} byte{'' if count == 1 else 's'}"
    return f"{count / 1024:.0f} KiB" if count < 10 << 20 else f"{count / (1 << 20):.1f} MiB"


def _signal_name(number: int) -> str:
    import signal  # late: messages are seldom made, and who starts may need one

    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
