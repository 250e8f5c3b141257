"""Saving one state after the other, with Holdfast and with each peer, as sides of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path

import holdfast

from ..interleave import Absent, Side
from ..stopwatch import seconds_for_each
from ..workload import State
from . import careful_file, langgraph
from .peers import lacking
from .raw import RawStore

States = Callable[[], Iterator[State]]


def with_holdfast(engine: holdfast.Engine, states: States, saves: int) -> Side:
    """Save through the public interface, each state whole."""
    given = states()
    return lambda: seconds_for_each(
        islice(given, saves), lambda state: engine.checkpoint("run", state=state)
    )


def with_raw_sqlite(store: RawStore, states: States, saves: int) -> Side:
    """Save a full copy of each state as a row."""
    given, numbers = states(), count(1)
    return lambda: seconds_for_each(
        islice(given, saves), lambda state: store.save("run", next(numbers), state)
    )


def with_careful_file(folder: Path, states: States, saves: int) -> Side:
    """Replace a file by each state; it keeps no history."""
    given = states()
    folder.mkdir()
    return lambda: seconds_for_each(
        islice(given, saves), lambda state: careful_file.save(folder, state)
    )


def with_put(path: Path, states: States, saves: int) -> Side | Absent:
    """Save with LangGraph's `put` alone."""
    if why := lacking(langgraph.NAME):
        return why
    given, saver, thread = states(), langgraph.Saver(path), langgraph.Thread("run")
    return lambda: seconds_for_each(islice(given, saves), lambda state: saver.put(thread, state))


def with_put_writes(path: Path, states: States, saves: int) -> Side | Absent:
    """Save as a step of a graph does: what the task wrote, then the checkpoint."""
    if why := lacking(langgraph.NAME):
        return why
    given, saver, thread = states(), langgraph.Saver(path), langgraph.Thread("run")

    def save(state: State) -> None:
        writes = [("step", state["step"]), ("log", state["log"][-1])]
        saver.put_with_writes(thread, state, writes)

    return lambda: seconds_for_each(islice(given, saves), save)
