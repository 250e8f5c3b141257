"""How outcomes look: lines for people, JSON for programs."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from .bench import Bench
from .figure import Figure
from .goal import with_unit
from .row import Outcome
from .sides.peers import versions

_WIDTHS = (44, 16, 14, 18)


def heading(bench: Bench) -> Iterator[str]:
    """Yield what stands above the table."""
    peers = ", ".join(f"{name} {found or '(not installed)'}" for name, found in versions().items())
    yield f"{_machine()}; {bench.rounds} rounds{', quick' if bench.quick else ''}"
    yield f"peers: {peers}"
    yield ""
    cells = ("", "goal", "measured", "rounds from – to")
    yield _line(cells, "verdict")


def lines(outcome: Outcome) -> Iterator[str]:
    """Yield a row of the table: its title, and a line a figure."""
    yield f"{outcome.row.title}  [{outcome.row.name}, {outcome.took:.0f} s]"
    for figure in outcome.figures:
        goal = str(figure.goal) if figure.goal else "–"
        value = with_unit(figure.value, figure.unit) if figure.value is not None else "–"
        spread = "–".join(with_unit(each, "") for each in figure.spread) if figure.spread else ""
        yield _line((f"  {figure.text}", goal, value, spread), verdict(figure))
        if figure.note:
            yield f"      {figure.note}"


def verdict(figure: Figure) -> str:
    """Return whether the goal is met, and by how much."""
    if figure.missing is not None:
        return f"{'NOT MET' if figure.goal else '-'} ({figure.missing})"
    if figure.goal is None or figure.value is None:
        return "for information"
    margin = figure.goal.margin(figure.value)
    if figure.is_met:
        return "met" if not margin else f"met, {margin:.0%} better"
    return "NOT MET" if margin is None else f"NOT MET, misses by {-margin:.0%}"


def summary(outcomes: list[Outcome]) -> str:
    """Return how many rows are met, and the names of those that are not."""
    missed = [each.row.name for each in outcomes if not each.is_met]
    text = f"{len(outcomes) - len(missed)} of {len(outcomes)} rows met"
    return f"{text}; not met: {', '.join(missed)}" if missed else text


def as_json(outcomes: list[Outcome], bench: Bench) -> dict[str, Any]:
    """Return everything that was measured."""
    return {
        "at": datetime.now(UTC).isoformat(),
        "machine": _machine(),
        "peers": versions(),
        "rounds": bench.rounds,
        "quick": bench.quick,
        "rows": [
            {
                "name": each.row.name,
                "title": each.row.title,
                "met": each.is_met,
                "measured": each.is_whole,
                "took": each.took,
                "figures": [figure.to_dict() for figure in each.figures],
            }
            for each in outcomes
        ],
    }


def _line(cells: tuple[str, ...], last: str) -> str:
    return " ".join(f"{text:<{width}}" for text, width in zip(cells, _WIDTHS, strict=True)) + last


def _machine() -> str:
    python = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"{os.cpu_count()} cores, {sys.platform} {platform.release()}, {python}"
