"""What a list leaves out is said on standard error: a pipe gets no more than a terminal does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import click

T = TypeVar("T")

_PAGE = 1000
# What is counted at the most: nobody waits for the exact number of millions.
_COUNTED = 10_000


def tell_more(found: Sequence[T], limit: int, after: Callable[[T], Sequence[T]], how: str) -> None:
    """Say how much there is beyond *found*, which was cut at *limit*, if there is.

    Args:
        after: returns a page of what comes after the last of the one before.
        how: what shows more, as options.
    """
    if not found or len(found) < limit:
        return
    count, last = 0, found[-1]
    while count < _COUNTED:
        page = after(last)
        if not page:
            break
        count, last = count + len(page), page[-1]
    if count:
        least = "" if count < _COUNTED else "at least "
        click.echo(f"holdfast: {least}{count:,} more; {how}", err=True)


def newest(
    last: int, after: int, page: Callable[[int, int], Sequence[T]], number: Callable[[T], int]
) -> list[T]:
    """Return the newest *last* of what is read page by page; no more than that is held.

    Args:
        page: returns so many at the most that are numbered above a number.
    """
    from collections import deque

    kept: deque[T] = deque(maxlen=last)
    while found := page(after, _PAGE):
        kept.extend(found)
        after = number(found[-1])
    return list(kept)
