"""Timing one piece of work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long *work* takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def seconds_for_each(items: Iterable[T], work: Callable[[T], object]) -> float:
    """Return how long *work* takes for all items; what making an item takes is left out."""
    total = 0.0
    for item in items:
        begun = time.perf_counter()
        work(item)
        total += time.perf_counter() - begun
    return total
