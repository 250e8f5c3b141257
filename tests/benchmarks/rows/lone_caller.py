"""What a caller that is alone pays for the commits that others could share."""

from __future__ import annotations

from functools import partial

import holdfast

from ..bench import Bench
from ..figure import Figure, missing, speed
from ..goal import at_least
from ..interleave import Absent
from ..row import Row
from ..sides import saving
from ..sides.ungrouped import open_ungrouped
from ..workload import changing

_TEXT = "the same engine without group commit"
_GOALS = {_TEXT: at_least(0.95)}


def _measure(bench: Bench) -> list[Figure]:
    saves = bench.size(80, 30)
    states = partial(changing, 2_000)
    with bench.room() as room:
        alone = open_ungrouped(room / "alone.db")
        if isinstance(alone, Absent):
            return [missing(_TEXT, _GOALS[_TEXT], alone.why)]
        with alone, holdfast.open(room / "ours.db") as engine:
            rounds = bench.compare(
                {
                    "ours": saving.with_holdfast(engine, states, saves),
                    "alone": saving.with_holdfast(alone, states, saves),
                },
                times=4,
            )
    return [speed(_TEXT, _GOALS[_TEXT], rounds, ours="ours", theirs="alone")]


LONE_CALLER = Row("lone-caller", "a lone caller under group commit, as fast as", _GOALS, _measure)
