"""Eight threads that save at once: do they share their syncs?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ..bench import Bench
from ..figure import Figure, missing, speed
from ..goal import at_least
from ..interleave import Absent, Rounds
from ..row import Row
from ..sides.slow_sync import SlowSync, slow_sync

_CALM, _SLOW = "one raw commit each behind a lock", "the same, 1 ms added to each sync"
_GOALS = {_CALM: at_least(2.4), _SLOW: at_least(5)}
_ROOT = Path(__file__).parents[3]


def _measure(bench: Bench) -> list[Figure]:
    calm, _ = _eight_threads(bench, SlowSync("as it is"), bench.size(150, 40))
    text = "this engine with one commit each"
    alone = speed(text, None, calm, ours="ours", theirs="alone")
    return [
        speed(_CALM, _GOALS[_CALM], calm, ours="ours", theirs="raw"),
        _with_slow_syncs(bench),
        alone,
    ]


def _with_slow_syncs(bench: Bench) -> Figure:
    goal = _GOALS[_SLOW]
    with bench.room() as room:
        way = slow_sync(room)
        if isinstance(way, Absent):
            return missing(_SLOW, goal, way.why)
        rounds, seen = _eight_threads(bench, way, bench.size(50, 20))
    if way.environment and not seen:
        # A Python that carries its own libc or its own SQLite is out of reach.
        return missing(_SLOW, goal, "skipped: the syncs of this Python cannot be made slower")
    note = f"syncs made slower by {way.how}"
    return speed(_SLOW, goal, rounds, ours="ours", theirs="raw", note=note)


def _eight_threads(bench: Bench, way: SlowSync, saves: int) -> tuple[Rounds, int | None]:
    program = [sys.executable, "-m", "tests.benchmarks.programs.eight_threads"]
    with bench.room() as room:
        done = subprocess.run(
            [*way.before, *program, str(room), str(bench.rounds), str(saves)],
            cwd=_ROOT,
            env=os.environ | way.environment,
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    found = json.loads(done.stdout)
    bench.told()
    return Rounds(found["seconds"], found["absent"]), found["slow_syncs"]


THREADS_8 = Row("threads-8", "8 threads on one engine, as fast as", _GOALS, _measure)
