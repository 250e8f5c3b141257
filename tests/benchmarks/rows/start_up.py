"""How soon the command line answers."""

from __future__ import annotations

import holdfast

from ..bench import Bench
from ..figure import Figure, cost
from ..goal import at_most
from ..row import Row
from ..sides import commands
from ..workload import state

_HELP, _LATEST = "holdfast --help", "holdfast latest --json"
_GOALS = {_HELP: at_most(4.5), _LATEST: at_most(10)}


def _measure(bench: Bench) -> list[Figure]:
    command = commands.holdfast_command()
    with bench.room() as room:
        path = room / "store.db"
        with holdfast.open(path) as engine:
            engine.checkpoint("run", state=state(2_000))
        latest = [*command, "--store", str(path), "latest", "run", "--json"]
        rounds = bench.compare(
            {
                _HELP: lambda: commands.seconds_of_process([*command, "--help"], expect=b"Usage"),
                _LATEST: lambda: commands.seconds_of_process(latest, expect=b'"run@1"'),
                "python": lambda: commands.seconds_of_process(commands.INTERPRETER),
            },
            times=3,
        )
    return [cost(each, goal, rounds, ours=each, theirs="python") for each, goal in _GOALS.items()]


START_UP = Row("start-up", "starting, time against python -c pass", _GOALS, _measure)
