"""Running rows, so that each one comes out with every figure that it owes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from .bench import Bench
from .figure import Figure, missing
from .row import Outcome, Row


def run_all(rows: Iterable[Row], bench: Bench, tell: Callable[[Outcome], None]) -> list[Outcome]:
    """Run the rows one after the other; *tell* hears of each as soon as it is done."""
    outcomes = []
    for row in rows:
        outcomes.append(run_one(row, bench))
        tell(outcomes[-1])
    return outcomes


def run_one(row: Row, bench: Bench) -> Outcome:
    """Run a row. What it fails to measure is in the outcome, with the reason, as not met."""
    begun = time.perf_counter()
    try:
        figures = row.measure(bench)
        why = "the row did not measure it"
    except Exception as error:  # noqa: BLE001 - one row that fails must not hide the others
        figures, why = [], f"failed: {type(error).__name__}: {error}"
    return Outcome(row, _with_all(row, figures, why), time.perf_counter() - begun)


def _with_all(row: Row, figures: list[Figure], why: str) -> list[Figure]:
    there = {each.text for each in figures if each.goal is not None}
    lost = [missing(text, goal, why) for text, goal in row.goals.items() if text not in there]
    return [*figures, *lost]
