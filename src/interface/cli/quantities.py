"""Times, durations and sizes, as people write them on a command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

_SIZES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 1 << 10, "MIB": 1 << 20}
_SIZES["GIB"] = 1 << 30
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


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
    """A duration: 90d, 12h, 30m, or seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Return the duration."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(value).strip().lower())
        if found is None or (found[2] or "s") not in _SECONDS:
            self.fail(f"{value} is no duration; write 90d, 12h or 30m, for example", param, ctx)
        try:
            return timedelta(seconds=float(found[1]) * _SECONDS[found[2] or "s"])
        except OverflowError:
            self.fail(f"{value} is longer than any time there was", param, ctx)


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
DATE = DateArgument()
