"""A point in time on two clocks: the wall's, and one that does not jump."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, for people and for leases.

    Attributes:
        wall: aware, UTC; it may jump when somebody sets the clock.
        boot_id: names one boot of one host; ``None`` where the system does not tell.
        uptime_ns: nanoseconds since that boot, suspended time included; it never jumps.
    """

    wall: datetime
    boot_id: str | None
    uptime_ns: int


def to_microseconds(at: datetime) -> int:
    """Return *at* as whole microseconds since 1970 in UTC, without the rounding of floats."""
    return (at - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Return the aware UTC time that `to_microseconds` made *count* of."""
    return _EPOCH + timedelta(microseconds=count)
