"""Reading the newest state of a conversation."""

from __future__ import annotations

from pathlib import Path

import holdfast

from ..bench import Bench
from ..figure import Figure, cost
from ..goal import at_most
from ..interleave import Absent, Side
from ..row import Row
from ..sides import conversation, langgraph
from ..sides.peers import lacking
from ..stopwatch import seconds_for_each

_PEER = "LangGraph get_tuple"
_GOALS = {_PEER: at_most(1)}


def _measure(bench: Bench) -> list[Figure]:
    calls = bench.size(50, 20)
    with bench.room() as room:
        conversation.with_holdfast(room / "ours.db")
        with holdfast.open(room / "ours.db") as engine:

            def latest(_: int) -> None:
                state = engine.latest("run").state
                assert state is not None
                assert len(state["messages"]) == conversation.MESSAGES

            rounds = bench.compare(
                {
                    "ours": lambda: seconds_for_each(range(calls), latest),
                    _PEER: _langgraph(room / "peer.db", calls),
                }
            )
    return [cost(_PEER, _GOALS[_PEER], rounds, ours="ours", theirs=_PEER)]


def _langgraph(path: Path, calls: int) -> Side | Absent:
    if why := lacking(langgraph.NAME):
        return why
    saver, thread = conversation.with_langgraph(path)

    def latest(_: int) -> None:
        assert len(saver.latest(thread)["messages"]) == conversation.MESSAGES

    return lambda: seconds_for_each(range(calls), latest)


LATEST = Row("latest", "latest state of a 500-message conversation, time against", _GOALS, _measure)
