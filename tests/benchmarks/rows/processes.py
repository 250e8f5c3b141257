"""Eight processes on one store: how much they do together, and whether each gets its turn."""

from __future__ import annotations

from statistics import median

from ..bench import Bench
from ..figure import Figure, plain, speed
from ..goal import at_least, at_most
from ..row import Row
from ..sides.saver_process import Saved, save_together

_PROCESSES = 8
_TOGETHER = "saves/s of all against one process's"
_LONGEST = "the longest wait"
_SHARE = "saves of the least over the most served"
_GOALS = {_TOGETHER: at_least(0.85), _LONGEST: at_most(100, "ms"), _SHARE: at_least(0.7)}


def _measure(bench: Bench) -> list[Figure]:
    seconds = 3.0 if not bench.quick else 1.5
    seen: list[list[Saved]] = []

    def side(count: int) -> float:
        with bench.room() as room:
            saved = save_together(room / "store.db", count, seconds)
        if count > 1:
            seen.append(saved)
        return 1 / sum(each.saves / each.seconds for each in saved)  # seconds a save

    rounds = bench.compare({"eight": lambda: side(_PROCESSES), "one": lambda: side(1)})
    del seen[0]  # the round that does not count
    longest = [max(each.longest for each in saved) * 1e3 for saved in seen]
    shares = [min(e.saves for e in saved) / max(e.saves for e in saved) for saved in seen]
    return [
        speed(_TOGETHER, _GOALS[_TOGETHER], rounds, ours="eight", theirs="one"),
        plain(
            _LONGEST,
            _GOALS[_LONGEST],
            median(longest),
            spread=(min(longest), max(longest)),
            note="the median of the longest of each round; the spread ends with the very longest",
        ),
        plain(_SHARE, _GOALS[_SHARE], median(shares), spread=(min(shares), max(shares))),
    ]


PROCESSES_8 = Row("processes-8", "8 processes on one store", _GOALS, _measure)
