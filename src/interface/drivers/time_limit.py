"""Calling a plain function within a time limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ...domain.errors import TimedOut
from .daemon_threads import in_thread

T = TypeVar("T")


def call_within(seconds: float, subject: str, function: Callable[[], T]) -> T:
    """Return what *function* returns, or raise `TimedOut` after so many seconds.

    It runs in a thread of its own, with the caller's context variables. It cannot be ended from
    outside: after the limit it goes on, and whatever it still writes is refused by its lease.
    """
    outcome = in_thread(f"holdfast {subject}", function)
    try:
        return outcome.result(timeout=seconds)
    except TimeoutError:
        if outcome.done():
            return outcome.result()  # in the last moment, or an error of its own
        raise TimedOut(subject, "timed out after", seconds) from None
