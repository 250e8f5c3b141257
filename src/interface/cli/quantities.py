"""Times, durations and sizes, as people write them on a command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from math import inf

import click

from ..duration import seconds_of

_SIZES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 1 << 10, "MIB": 1 << 20}
_SIZES["GIB"] = 1 << 30
_BARE = r"\d+(?:\.\d+)?"
_DAY = 86_400
_SUCH_AS = "write 90d, 12h or 2 weeks, for example"


class SizeArgument(click.ParamType[int]):
    """A number of bytes: 200KB, 10MB, 1GiB."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the bytes."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", str(value).strip())
        if found is None or found[2].upper() not in _SIZES:
            self.fail(f"{value} is no size; write 200KB or 10MB, for example", param, ctx)
        return int(float(found[1]) * _SIZES[found[2].upper()])


class DurationArgument(click.ParamType[timedelta]):
    """A duration, as the configuration reads it: 90 days, 12h, 1h 30min.

    A bare number says nothing here: whoever writes 90 may mean days as well as seconds.
    """

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Return the duration."""
        text = str(value).strip()
        if re.fullmatch(_BARE, text):
            self.fail(f"{text} what? Write {text}d or {text}s.", param, ctx)
        try:
            seconds = seconds_of(text)
        except ValueError:
            self.fail(f"{text} is no duration; {_SUCH_AS}", param, ctx)
        if seconds < 0:
            self.fail(f"{text} is less than no time; {_SUCH_AS}", param, ctx)
        try:
            return timedelta(seconds=seconds)
        except OverflowError:
            self.fail(f"{text} is longer than any time there was", param, ctx)


class SecondsArgument(click.ParamType[float]):
    """A duration, or a number of seconds: 5min, 300."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds."""
        text = str(value).strip()
        try:
            return float(text)
        except ValueError:
            pass
        try:
            return seconds_of(text)
        except ValueError:
            self.fail(f"{text} is no duration; write 300, 300s or 5min, for example", param, ctx)


class DaysArgument(click.ParamType[float]):
    """A number of days, or a duration: 30, 30d, 2 weeks."""

    name = "days"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the days."""
        text = str(value).strip()
        try:
            found = float(text) if re.fullmatch(_BARE, text) else seconds_of(text) / _DAY
        except ValueError:
            self.fail(f"{text} is no number of days; write 30, 30d or 2 weeks", param, ctx)
        if not 0 <= found < inf:
            self.fail(f"{text} is less than no time, or without end; write 30 or more", param, ctx)
        return found


class DateArgument(click.ParamType[datetime]):
    """A date or a time: 2026-03-01, 2026-03-01T12:30, with or without a zone (UTC)."""

    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the time, in UTC where no zone is given."""
        try:
            found = datetime.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(f"{value} is no date; write 2026-03-01 or 2026-03-01T12:30", param, ctx)
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def size_text(count: int) -> str:
    """Return a number of bytes as people read it."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


SIZE = SizeArgument()
DURATION = DurationArgument()
SECONDS = SecondsArgument()
DAYS = DaysArgument()
DATE = DateArgument()
