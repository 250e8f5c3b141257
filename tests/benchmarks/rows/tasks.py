"""Many asyncio tasks that save at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import holdfast

from ..bench import Bench
from ..figure import Figure, speed
from ..goal import at_least
from ..interleave import Absent, Side
from ..row import Row
from ..sides import langgraph
from ..sides.peers import lacking, module
from ..workload import State, changing, made_before

_TASKS = 32
_PEER = "AsyncSqliteSaver aput"
_GOALS = {_PEER: at_least(12)}


def _measure(bench: Bench) -> list[Figure]:
    saves = bench.size(20, 6)
    with bench.room() as room:
        rounds = bench.compare(
            {
                "ours": _with_holdfast(room / "ours.db", saves),
                _PEER: _with_async_saver(room / "peer.db", saves),
            }
        )
    return [speed(_PEER, _GOALS[_PEER], rounds, ours="ours", theirs=_PEER)]


def _with_holdfast(path: Path, saves: int) -> Side:
    states = [changing(2_000) for _ in range(_TASKS)]

    async def run() -> float:
        async with holdfast.open_async(path) as engine:

            async def save(number: int, state: State) -> None:
                await engine.checkpoint(f"run-{number}", state=state)

            return await _side_by_side(save, states, saves)

    return lambda: asyncio.run(run())


def _with_async_saver(path: Path, saves: int) -> Side | Absent:
    if why := lacking(langgraph.NAME, "aiosqlite"):
        return why
    states = [changing(2_000) for _ in range(_TASKS)]
    threads = [langgraph.Thread(f"run-{number}") for number in range(_TASKS)]
    saver_class = module("langgraph.checkpoint.sqlite.aio").AsyncSqliteSaver

    async def run() -> float:
        async with saver_class.from_conn_string(str(path)) as saver:
            await saver.setup()

            async def save(number: int, state: State) -> None:
                thread = threads[number]
                made = thread.checkpoint(state)
                versions = made["channel_versions"]
                thread.config = await saver.aput(thread.config, made, thread.metadata(), versions)

            return await _side_by_side(save, states, saves)

    return lambda: asyncio.run(run())


async def _side_by_side(
    save: Callable[[int, State], Awaitable[None]], states: list[Iterator[State]], saves: int
) -> float:
    """Return the seconds until all tasks have saved; a first save of each is not counted."""
    made = [made_before(each, saves + 1) for each in states]

    async def work(number: int) -> None:
        for state in made[number][1:]:
            await save(number, state)

    await asyncio.gather(*(save(number, made[number][0]) for number in range(_TASKS)))
    begun = time.perf_counter()
    await asyncio.gather(*(work(number) for number in range(_TASKS)))
    return time.perf_counter() - begun


TASKS_32 = Row("tasks-32", "32 asyncio tasks on one engine, as fast as", _GOALS, _measure)
