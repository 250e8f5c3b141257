"""Getting a run of 1000 steps back, with Holdfast and with the means of each peer."""

from __future__ import annotations

from itertools import islice

from ..bench import Bench
from ..figure import Figure, speed
from ..goal import at_least
from ..interleave import Absent, Side
from ..row import Row
from ..sides import dbos, eventsourcing, langgraph
from ..sides.peers import lacking
from ..stopwatch import seconds_of
from ..workload import patches
from .rebuild import rebuilding

_DEPTH = 1000
_LIST, _EVENTS, _REPLAY = "LangGraph list", "eventsourcing", "DBOS replay"
_GOALS = {_LIST: at_least(4), _EVENTS: at_least(6), _REPLAY: at_least(40)}


def _measure(bench: Bench) -> list[Figure]:
    calls = 40
    with bench.room() as room, rebuilding(room / "ours.db", _DEPTH, calls) as ours:
        rounds = bench.compare(
            {
                "ours": lambda: ours() / calls,
                _LIST: _langgraph(bench),
                _EVENTS: eventsourcing.rebuilding(room / "events.db", _DEPTH),
                _REPLAY: dbos.replaying(room, _DEPTH),
            }
        )
        dbos.shut_down()
    return [speed(each, goal, rounds, ours="ours", theirs=each) for each, goal in _GOALS.items()]


def _langgraph(bench: Bench) -> Side | Absent:
    """List a thread whose checkpoints hold one patch each: less than a graph would have stored."""
    if why := lacking(langgraph.NAME):
        return why
    with bench.room() as room:
        # The file stays open, and so readable, when its folder is gone.
        saver, thread = langgraph.Saver(room / "peer.db"), langgraph.Thread("run")
        saver.saver.conn.execute("PRAGMA synchronous=OFF")  # for making it alone
        for patch in islice(patches(2_000), _DEPTH):
            saver.put(thread, patch)

    def list_all() -> None:
        assert len(saver.history(thread)) == _DEPTH

    return lambda: seconds_of(list_all)


REBUILD_PEERS = Row("rebuild-peers", "rebuild 1000 steps, as fast as", _GOALS, _measure)
