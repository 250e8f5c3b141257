"""How large the history of a growing conversation is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..bench import Bench
from ..figure import Figure, missing, plain
from ..goal import at_most
from ..interleave import Absent
from ..row import Row
from ..sides import conversation, langgraph
from ..sides.peers import lacking

_PUT, _DELTA = "LangGraph's file", "its file with a DeltaChannel"
_GOALS = {_PUT: at_most(1 / 120), _DELTA: at_most(1 / 2.5)}


def _measure(bench: Bench) -> list[Figure]:
    with bench.room() as room:
        conversation.with_holdfast(room / "ours.db")
        ours = conversation.bytes_of(room / "ours.db")
        bench.told()
        peers = {_PUT: _put(room / "put.db"), _DELTA: _delta_channel(room / "delta.db")}
    figures = []
    for text, found in peers.items():
        if isinstance(found, Absent):
            figures.append(missing(text, _GOALS[text], found.why))
        else:
            note = f"{ours:,} bytes against {found:,}"
            figures.append(plain(text, _GOALS[text], ours / found, note=note))
    return figures


def _put(path: Path) -> int | Absent:
    if why := lacking(langgraph.NAME):
        return why
    saver, _ = conversation.with_langgraph(path)
    saver.close()
    return conversation.bytes_of(path)


def _delta_channel(path: Path) -> int | Absent:
    if why := lacking(langgraph.NAME, "langgraph"):
        return why
    try:
        return _size_after(conversation.with_delta_channel, path)
    except ModuleNotFoundError as error:
        return Absent(f"this version of langgraph has no DeltaChannel ({error})")


def _size_after(save: Callable[[Path], None], path: Path) -> int:
    save(path)
    return conversation.bytes_of(path)


STORED_BYTES = Row(
    "bytes", "bytes of 500 checkpoints growing by a 1 KB message, as a part of", _GOALS, _measure
)
