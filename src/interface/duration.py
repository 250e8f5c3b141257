"""Durations as people write them."""

from __future__ import annotations

import re

_UNITS = {
    1e-3: ("ms", "millisecond", "milliseconds"),
    1.0: ("", "s", "sec", "second", "seconds"),
    60.0: ("m", "min", "minute", "minutes"),
    3600.0: ("h", "hour", "hours"),
    86400.0: ("d", "day", "days"),
    604800.0: ("w", "week", "weeks"),
}
_SECONDS = {name: seconds for seconds, names in _UNITS.items() for name in names}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)\s*")


def seconds_of(text: str) -> float:
    """Return the seconds that *text* says: ``"30"``, ``"30s"``, ``"5 min"``, ``"1h 30min"``.

    Raises:
        ValueError: it does not say a duration.

    >>> seconds_of("1h 30min")
    5400.0
    """
    rest = text.strip().lower()
    sign = -1.0 if rest.startswith("-") else 1.0
    rest = rest.lstrip("-+").lstrip()
    total, parts = 0.0, 0
    while rest:
        found = _PART.match(rest)
        # A bare number counts as seconds only when it is all there is: "1h 30" says nothing clear.
        if not found or found[2] not in _SECONDS or (not found[2] and (parts or found[0] != rest)):
            raise ValueError(f"{text!r} is not a duration")
        total += float(found[1]) * _SECONDS[found[2]]
        rest, parts = rest[found.end() :], parts + 1
    if not parts:
        raise ValueError(f"{text!r} is not a duration")
    return sign * total


def text_of(seconds: float) -> str:
    """Return *seconds* in the largest unit that leaves no rest, as `seconds_of` reads it.

    >>> text_of(5400), text_of(0.5), text_of(86400)
    ('90 min', '0.5 s', '1 d')
    """
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"
