"""Goes past damaged rows, if somebody is told of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..domain.errors import CheckpointCorrupted, Damaged, InvalidId, NotFound
from ..domain.ports import OnDamage


@contextmanager
def passing_over(on_damage: OnDamage | None, subject: object) -> Iterator[None]:
    """Tell of damage that the block meets, and go on after it; raise it if nobody is told."""
    try:
        yield
    except Damaged as damage:
        if on_damage is None:
            raise
        on_damage(damage)
    except (InvalidId, UnicodeEncodeError, NotFound) as error:
        # A name that is damage is no text, or that of nothing.
        if on_damage is None:
            raise
        on_damage(
            CheckpointCorrupted(
                _printable(subject), f"it is not found as it is listed: {_printable(error)}"
            )
        )


def _printable(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()
