"""What is remembered of a purge: which sequences of a workflow went, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple, TypeAlias


class Gone(NamedTuple):
    """Sequences that went, and when."""

    first: int
    last: int
    at: datetime


_Fits: TypeAlias = Callable[[Gone, Gone], bool]


def joined(ranges: Iterable[Gone], fits: _Fits | None = None) -> list[Gone]:
    """Return ranges in their order, with those made one that touch and fit.

    Args:
        fits: whether two that touch may be one, with the later date; by default those may that went
            at the same time.
    """
    fits = fits or (lambda one, other: one.at == other.at)
    found: list[Gone] = []
    for each in sorted(ranges):
        last = found[-1] if found else None
        if last is not None and last.last + 1 >= each.first and fits(last, each):
            found[-1] = Gone(last.first, max(last.last, each.last), max(last.at, each.at))
        else:
            found.append(each)
    return found
