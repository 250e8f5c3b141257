"""On which line of a TOML text a key stands: the standard library's parser does not tell."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAME = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_KEY})\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(rf"\s*({_KEY})\s*=")


def line_of(text: str, path: Sequence[str]) -> int | None:
    r"""Return the line, counted from 1, of the key at *path*, or of what holds it.

    >>> line_of('a = 1\n[log]\nlevel = "info"', ("log", "level"))
    3
    """
    wanted = tuple(path)
    table: tuple[str, ...] = ()
    found, depth = None, 0
    inside = ""  # the quotes of a text of several lines that has begun
    for number, line in enumerate(text.splitlines(), 1):
        was_inside, inside = inside, _quotes_left_open(line, inside)
        if was_inside:
            continue
        if header := _HEADER.match(line):
            here = table = _names(header[1])
        elif assignment := _ASSIGNMENT.match(line):
            here = table + _names(assignment[1])
        else:
            continue
        if len(here) > depth and wanted[: len(here)] == here:
            found, depth = number, len(here)
    return found


def _names(key: str) -> tuple[str, ...]:
    return tuple(each.strip("\"'") for each in re.findall(_NAME, key))


def _quotes_left_open(line: str, inside: str) -> str:
    for quotes in re.findall(r'"""|\'\'\'', line):
        if not inside:
            inside = quotes
        elif inside == quotes:
            inside = ""
    return inside
