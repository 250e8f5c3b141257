"""A conversation that grows by a message of 1 KB, saved whole after each."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, TypedDict

import holdfast

from ..workload import State, message
from . import langgraph
from .peers import module

MESSAGES = 500


def growing() -> Iterator[State]:
    """Yield the conversation after each of its messages; one object, as a program holds it."""
    draw = random.Random(4)
    held: State = {"messages": []}
    for number in range(MESSAGES):
        held["messages"].append(message(number, 1_000, draw))
        yield held


def with_holdfast(path: Path) -> None:
    """Save it through the public interface."""
    with holdfast.open(path, durability="process") as engine:
        for state in growing():
            engine.checkpoint("run", state=state)


def with_langgraph(path: Path) -> tuple[langgraph.Saver, langgraph.Thread]:
    """Save it with `put`, a checkpoint a message; return what can read it."""
    saver, thread = langgraph.Saver(path), langgraph.Thread("run")
    saver.saver.setup()
    saver.saver.conn.execute("PRAGMA synchronous=OFF")  # what is measured is read later
    for state in growing():
        saver.put(thread, state)
    return saver, thread


def with_delta_channel(path: Path) -> None:
    """Let a graph of 500 steps add a message each to a `DeltaChannel`, at its defaults."""
    graph, constants = module("langgraph.graph"), module("langgraph.constants")
    delta = module("langgraph.channels.delta").DeltaChannel
    draw = random.Random(4)
    made = iter([message(number, 1_000, draw) for number in range(MESSAGES)])

    def add(state: list[Any], written: list[list[Any]]) -> list[Any]:
        return [*state, *(each for messages in written for each in messages)]

    fields = {"messages": Annotated[list[Any], delta(add)]}
    builder = graph.StateGraph(TypedDict("Conversation", fields))  # type: ignore[operator]
    builder.add_node("speak", lambda _: {"messages": [next(made)]})
    builder.add_edge(constants.START, "speak")
    builder.add_conditional_edges(
        "speak", lambda state: constants.END if len(state["messages"]) >= MESSAGES else "speak"
    )
    saver = langgraph.Saver(path)
    compiled = builder.compile(checkpointer=saver.saver)
    config = {"configurable": {"thread_id": "run"}, "recursion_limit": MESSAGES + 10}
    ended = compiled.invoke({"messages": []}, config)
    assert len(ended["messages"]) == MESSAGES
    saver.close()


def bytes_of(path: Path) -> int:
    """Return the size of a file that is closed, with all that its `-wal` still holds."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return path.stat().st_size
