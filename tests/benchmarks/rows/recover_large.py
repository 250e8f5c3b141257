"""What `holdfast bench recovery` says of a state of 10 MB."""

from __future__ import annotations

import json
import subprocess
import sys

from ..bench import Bench
from ..figure import Figure, holds, plain
from ..goal import Goal, at_least, at_most
from ..row import Row

_DEPTHS = {"p90 at depth 100": 100, "p90 at depth 10,000": 10_000}
_SAYS_SO = "`bench recovery` says so"
_GOALS: dict[str, Goal] = {
    **{text: at_most(5, "s") for text in _DEPTHS},
    _SAYS_SO: at_least(1, ""),
}


def _measure(bench: Bench) -> list[Figure]:
    figures = []
    said = []
    for text, depth in _DEPTHS.items():
        goal, p90 = _bench_recovery(bench, depth)
        figures.append(plain(text, _GOALS[text], p90))
        said.append(goal["limit_s"] == 5 and goal["met"] == (p90 < 5))
        bench.told()
    return [*figures, holds(_SAYS_SO, true=all(said))]


def _bench_recovery(bench: Bench, depth: int) -> tuple[dict[str, object], float]:
    rounds = bench.size(20, 10)
    with bench.room() as room:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "holdfast", "--json", "bench", "recovery"),
                *("--state-size", "10MB", "--depth", str(depth), "--rounds", str(rounds)),
                *("--folder", str(room)),
            ],
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"exit code {done.returncode}")
    (found,) = json.loads(done.stdout)["measured"]
    return found["goal"], found["series"]["whole recovery"]["p90"]


RECOVER_LARGE = Row("recover-10mb", "recover, whole, with a state of 10 MB", _GOALS, _measure)
