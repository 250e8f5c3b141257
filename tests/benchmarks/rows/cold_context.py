"""After a kill: how soon a fresh process has the context."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

from ..bench import Bench
from ..figure import Figure, cost
from ..goal import at_most
from ..interleave import Absent, Side
from ..row import Row
from ..sides import commands, langgraph
from ..sides.peers import lacking

_TEXT = "python -c pass"
_GOALS = {_TEXT: at_most(12)}
_ROOT = Path(__file__).parents[3]
_PEER = """
import json, sys
from langgraph.checkpoint.sqlite import SqliteSaver
with SqliteSaver.from_conn_string(sys.argv[1]) as saver:
    found = saver.get_tuple({"configurable": {"thread_id": "run", "checkpoint_ns": ""}})
    print(json.dumps(found.checkpoint["channel_values"]))
"""


def _measure(bench: Bench) -> list[Figure]:
    with bench.room() as room:
        left = room / "left"
        left.mkdir()
        writer = [sys.executable, "-m", "tests.benchmarks.programs.killed_writer", str(left)]
        ended = subprocess.run(writer, cwd=_ROOT, capture_output=True)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        command = [*commands.holdfast_command(), "--store"]
        found = room / "found"

        def ours() -> float:
            _as_left(left, found)
            line = [*command, str(found / "ours.db"), "context", "run", "--json"]
            return commands.seconds_of_process(line, expect=b'"workflow_state"')

        rounds = bench.compare(
            {
                "ours": ours,
                "python": lambda: commands.seconds_of_process(commands.INTERPRETER),
                "peer": _langgraph(left, found),
            },
            times=2,
        )
    return [
        cost(_TEXT, _GOALS[_TEXT], rounds, ours="ours", theirs="python"),
        cost("python -c pass, taken by LangGraph", None, rounds, ours="peer", theirs="python"),
    ]


def _langgraph(left: Path, found: Path) -> Side | Absent:
    if why := lacking(langgraph.NAME):
        return why

    def run() -> float:
        _as_left(left, found)
        line = [sys.executable, "-c", _PEER, str(found / "peer.db")]
        return commands.seconds_of_process(line, expect=b'"phase"')

    return run


def _as_left(left: Path, found: Path) -> None:
    """Put the files back as the kill left them: the first who reads tidies up."""
    shutil.rmtree(found, ignore_errors=True)
    shutil.copytree(left, found)


COLD_CONTEXT = Row(
    "cold-context",
    "killed; a fresh process to a 200 KB context through the command line, time against",
    _GOALS,
    _measure,
)
