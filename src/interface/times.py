"""Times and durations as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

TimeForm: TypeAlias = Literal["relative", "absolute", "both"]

_STEPS = ((60, 1, "s"), (3600, 60, "min"), (48 * 3600, 3600, "h"), (30 * 86_400, 86_400, "days"))


@dataclass(frozen=True, slots=True)
class Times:
    """How times are told: by how long ago they were, by date and time in UTC, or by both.

    >>> noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
    >>> Times(noon, "both").text(noon - timedelta(minutes=3))
    '3 min ago, 2026-03-14 11:57:00Z'
    """

    now: datetime
    form: TimeForm

    def text(self, at: datetime | None) -> str:
        """Return a time; nothing for none."""
        if at is None:
            return ""
        if self.form == "absolute":
            return absolute(at)
        said = relative(at, self.now)
        return said if self.form == "relative" else f"{said}, {absolute(at)}"

    def text_within(self, at: datetime | None, begun_at: datetime | None) -> str:
        """Return a time of something that began at *begun_at*: where times are relative, to that.

        >>> noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
        >>> Times(noon, "relative").text_within(noon, noon - timedelta(minutes=3))
        '+3 min 00 s'
        """
        if at is None or begun_at is None or self.form != "relative":
            return self.text(at) if self.form != "both" or at is None else absolute(at)
        return f"+{duration_text(at - begun_at)}"


def absolute(at: datetime) -> str:
    """Return a time in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def relative(at: datetime, now: datetime) -> str:
    """Return how long ago a time was, or in how long it will be; a date when that is far away.

    >>> noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
    >>> relative(noon - timedelta(hours=5), noon), relative(noon + timedelta(days=2), noon)
    ('5 h ago', 'in 2 days')
    """
    away = (now - at).total_seconds()
    if abs(away) < 1:
        return "now"
    for below, size, unit in _STEPS:
        if abs(away) < below:
            count = f"{int(abs(away) // size)} {unit}"
            return f"{count} ago" if away > 0 else f"in {count}"
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def duration_text(took: timedelta | None) -> str:
    """Return how long something took.

    >>> duration_text(timedelta(seconds=4.2)), duration_text(timedelta(hours=61, minutes=7))
    ('4.20 s', '2 d 13 h')
    """
    if took is None:
        return ""
    seconds = took.total_seconds()
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} min"
    return f"{hours // 24} d {hours % 24:02} h"
