"""Each error caused once, through public calls, as a user would."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import holdfast
from holdfast.testing import ManualClock

from .handlers import app as isolated

Cause = Callable[[Path], object]
CAUSES: list[tuple[str, Cause]] = []
"""What is done, and the call that raises."""

AT_ONCE = {"back_off_base": 0.0}


def cause(what: str) -> Callable[[Cause], Cause]:
    def note(function: Cause) -> Cause:
        CAUSES.append((what, function))
        return function

    return note


def opened(room: Path, clock: ManualClock | None = None, **options: Any) -> holdfast.Engine:
    clock = clock or ManualClock()
    return holdfast.open(room / "crew.db", clock=clock, **{"settings": AT_ONCE, **options})


def in_memory(**options: Any) -> holdfast.Engine:
    return holdfast.open("memory:", clock=ManualClock(), **{"settings": AT_ONCE, **options})


# Ids, requests and values.


@cause("an id with an empty part")
def _(room: Path) -> None:
    in_memory().get("nightly//eu@3")


@cause("an id that is none")
def _(room: Path) -> None:
    in_memory().get("nightly@newest")


@cause("a name with a control character")
def _(room: Path) -> None:
    in_memory().checkpoint("night\nly")


@cause("state and patch at once")
def _(room: Path) -> None:
    in_memory().checkpoint("nightly", state={}, patch={})


@cause("a type that is none")
def _(room: Path) -> None:
    in_memory().checkpoint("nightly", type="stage_strat")


@cause("a type that is about something else")
def _(room: Path) -> None:
    in_memory().checkpoint("nightly", type="stage_start")


@cause("a parent of another workflow")
def _(room: Path) -> None:
    engine = in_memory()
    engine.checkpoint("daily")
    engine.checkpoint("nightly", parent="daily@1")


@cause("a setting that is misspelt")
def _(room: Path) -> None:
    holdfast.open("memory:", settings={"leese": 20})


@cause("a retention that is none")
def _(room: Path) -> None:
    in_memory(retention={"days": 3})


@cause("a purge of what is older than a number")
def _(room: Path) -> None:
    in_memory().purge(max_age=90)  # type: ignore[arg-type]


@cause("a purge of what is before a text")
def _(room: Path) -> None:
    in_memory().purge(before="2026-01-01")  # type: ignore[arg-type]


@cause("a purge every so many, of what is not said")
def _(room: Path) -> None:
    in_memory().purge_every(60)  # type: ignore[arg-type]


@cause("a step without a function")
def _(room: Path) -> None:
    with in_memory() as engine, engine.run("nightly") as run:
        run.step("load", 5)  # type: ignore[arg-type]


@cause("a target that is not known")
def _(room: Path) -> None:
    holdfast.open("postgres://crew")


@cause("a workflow started as another one")
def _(room: Path) -> None:
    registry = holdfast.Registry()
    registry.workflow("load")(lambda _: None)
    registry.workflow("clean")(lambda _: None)
    with in_memory(registry=registry) as engine:
        engine.start("load", workflow_id="nightly")
        engine.start("clean", workflow_id="nightly")


@cause("cancelling what nothing opened")
def _(room: Path) -> None:
    engine = in_memory()
    engine.checkpoint("notes")
    engine.cancel("notes")


@cause("a configuration with one mistake")
def _(room: Path) -> None:
    (room / "holdfast.toml").write_text('[engine]\nleese = "20s"\n')
    holdfast.Configuration.load(folder=room, environ={})


@cause("a configuration with four")
def _(room: Path) -> None:
    (room / "holdfast.toml").write_text(
        'stor = "crew.db"\n[engine]\nlease = "-3s"\n[retention]\ndays = "many"\n'
    )
    holdfast.Configuration.load(folder=room, environ={"HOLDFAST_STROE": "x"})


@cause("a state that JSON cannot hold")
def _(room: Path) -> None:
    in_memory().checkpoint("nightly", state={"messages": [{"when": timedelta(1)}]})


@cause("a step that returns what JSON cannot hold")
def _(room: Path) -> None:
    with in_memory() as engine, engine.run("nightly") as run:
        run.step("load", set, [1])


@cause("a state over the limit")
def _(room: Path) -> None:
    engine = in_memory(settings={"max_state_bytes": 20_000})
    engine.checkpoint("nightly", state={"messages": "x" * 30_000, "n": 1})


# What is not there.


@cause("a workflow that is misspelt")
def _(room: Path) -> None:
    engine = in_memory()
    engine.checkpoint("nightly")
    engine.latest("nihgtly")


@cause("a workflow unlike any")
def _(room: Path) -> None:
    in_memory().latest("nightly")


@cause("a checkpoint of another scope")
def _(room: Path) -> None:
    engine = in_memory()
    engine.checkpoint("nightly", stage_id="load")
    engine.get("nightly@1")


@cause("a checkpoint that was purged")
def _(room: Path) -> None:
    engine = in_memory()
    for _ in range(3):
        engine.checkpoint("nightly", state={})
    engine.purge(workflow="nightly", keep=1)
    engine.get("nightly@1")


@cause("a workflow that was deleted")
def _(room: Path) -> None:
    engine = in_memory()
    engine.checkpoint("nightly", state={})
    engine.delete("nightly")
    engine.latest("nightly")


@cause("a handler that is misspelt")
def _(room: Path) -> None:
    registry = holdfast.Registry()
    registry.workflow("release-notes")(lambda _: None)
    in_memory(registry=registry).start("relaese-notes", workflow_id="rn")


# What is refused as things stand.


@cause("failing what is completed")
def _(room: Path) -> None:
    engine = in_memory()
    opening = engine.checkpoint("nightly", resume_handler="load")
    engine.complete(opening.id)
    engine.fail(opening.id, "too late")


@cause("writing to a run that is completed")
def _(room: Path) -> None:
    with in_memory() as engine:
        with engine.run("nightly"):
            pass
        with engine.run("nightly") as run:
            run.checkpoint(state={})


@cause("closing around what is open")
def _(room: Path) -> None:
    engine = in_memory()
    engine.checkpoint("nightly", type="stage_start", stage_id="load")
    engine.checkpoint("nightly", type="agent_start", stage_id="load", agent_id="eu")
    engine.complete("nightly/load@1")


@cause("opening what is open")
def _(room: Path) -> None:
    engine = in_memory()
    for _ in range(2):
        engine.checkpoint("nightly", type="stage_start", stage_id="load")


@cause("running what somebody else runs")
def _(room: Path) -> None:
    with opened(room) as first, opened(room) as second, first.run("nightly"):
        second.run("nightly")


@cause("purging while somebody does")
def _(room: Path) -> None:
    with opened(room) as first, opened(room) as second:
        for _ in range(3):
            first.checkpoint("nightly", state={})
        second_error: list[BaseException] = []

        def purge_too(progress: object) -> None:
            try:
                second.purge(workflow="nightly", keep=1)
            except holdfast.HoldfastError as error:
                second_error.append(error)

        first.purge(workflow="nightly", keep=1, progress=purge_too)
        raise second_error[0]


@cause("writing after somebody else took over")
def _(room: Path) -> None:
    registry = holdfast.Registry()
    refused: list[BaseException] = []
    first, second = opened(room), opened(room, registry=registry)
    with first, second:
        run = first.run("nightly", handler="load")

        @registry.handler("load")
        def load(_: holdfast.Run) -> None:
            try:
                run.checkpoint(state={})
            except holdfast.HoldfastError as error:
                refused.append(error)

        second.recover("nightly", force=True)
    raise refused[0]


@cause("writing in an attempt that has ended")
def _(room: Path) -> None:
    registry = holdfast.Registry()
    done = threading.Event()
    late: list[BaseException] = []

    @registry.workflow("slow", timeout=0.05)
    def slow(run: holdfast.Run) -> None:
        done.wait(30)
        try:
            run.checkpoint(state={})
        except holdfast.HoldfastError as error:
            late.append(error)
        done.clear()

    with holdfast.open("memory:", registry=registry) as engine:
        with suppress(holdfast.TimedOut):
            engine.start("slow", workflow_id="nightly")
        done.set()
        while done.is_set():
            threading.Event().wait(0.001)
        raise late[0]


@cause("a finished step asked with another input")
def _(room: Path) -> None:
    with in_memory() as engine:
        with suppress(RuntimeError), engine.run("nightly", handler="h") as run:
            run.step("load", str, 1)
            raise RuntimeError
        with engine.run("nightly") as run:
            run.step("load", str, 2)


@cause("a workflow started again with another input")
def _(room: Path) -> None:
    registry = holdfast.Registry()
    registry.workflow("load")(lambda _: None)
    with in_memory(registry=registry) as engine:
        engine.start("load", workflow_id="nightly", input={"day": 1})
        engine.start("load", workflow_id="nightly", input={"day": 2})


@cause("one name twice")
def _(room: Path) -> None:
    with in_memory() as engine, engine.run("nightly") as run:
        run.step("load", str)
        run.step("load", str)


@cause("recovering what is completed, and by whom nobody knows")
def _(room: Path) -> None:
    engine = in_memory()
    engine.complete(engine.checkpoint("nightly", resume_handler="load").id)
    engine.recover("nightly")


@cause("recovering what is running")
def _(room: Path) -> None:
    registry = holdfast.Registry()
    registry.handler("load")(lambda _: None)
    first, second = opened(room), opened(room, registry=registry)
    with first, second, first.run("nightly", handler="load"):
        second.recover("nightly")


@cause("recovering what failed too often")
def _(room: Path) -> None:
    registry = holdfast.Registry()

    @registry.workflow("load", max_retries=0)
    def load(run: holdfast.Run) -> None:
        raise RuntimeError("out of paper")

    with in_memory(registry=registry) as engine:
        with suppress(RuntimeError):
            engine.start("load", workflow_id="nightly")
        engine.recover("nightly")


@cause("recovering what was killed")
def _(room: Path) -> None:
    registry = holdfast.Registry()
    registry.handler("load")(lambda _: None)
    with in_memory(registry=registry) as engine:
        engine.checkpoint("nightly", resume_handler="load")
        engine.cancel("nightly")
        engine.recover("nightly")


@cause("recovering before back-off is over")
def _(room: Path) -> None:
    registry = holdfast.Registry()

    @registry.workflow("load")
    def load(run: holdfast.Run) -> None:
        raise RuntimeError("out of paper")

    with in_memory(registry=registry, settings={"back_off_base": 60.0}) as engine:
        with suppress(RuntimeError):
            engine.start("load", workflow_id="nightly")
        engine.recover("nightly")


@cause("a run carried through a fork")
def _(room: Path) -> None:
    reading, writing = os.pipe()
    with opened(room) as engine, engine.run("nightly") as run:
        if not (child := os.fork()):
            try:
                run.checkpoint(state={})
            except holdfast.HoldfastError as error:
                os.write(writing, f"{run.context.workflow_id} {error}".encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        said = os.read(reading, 10_000).decode().removeprefix("nightly ")
    told = holdfast.ForeignRun("nightly", os.getpid(), child)
    assert str(told) == said
    raise told


@cause("waiting for an answer")
def _(room: Path) -> None:
    with in_memory() as engine, engine.run("nightly", handler="h") as run:
        run.wait("approval", ask="publish?", until=timedelta(days=7))


@cause("answering what is not asked")
def _(room: Path) -> None:
    engine = _asking(in_memory())
    engine.answer("nightly", "aproval", True)


@cause("answering twice")
def _(room: Path) -> None:
    engine = _asking(in_memory())
    for _ in range(2):
        engine.answer("nightly", "approval", True)


@cause("answering when its time is over")
def _(room: Path) -> None:
    clock = ManualClock()
    engine = _asking(holdfast.open("memory:", clock=clock))
    clock.advance(timedelta(days=8))
    engine.answer("nightly", "approval", True)


def _asking(engine: holdfast.Engine) -> holdfast.Engine:
    with suppress(holdfast.Waiting), engine.run("nightly", handler="h") as run:
        run.wait("approval", ask="publish?", until=timedelta(days=7))
    return engine


@cause("an export to where something is")
def _(room: Path) -> None:
    (room / "crew.jsonl").touch()
    in_memory().export_to(room / "crew.jsonl")


@cause("an import into a store that is not empty")
def _(room: Path) -> None:
    with opened(room) as engine:
        engine.checkpoint("nightly")
        engine.export_to(room / "crew.jsonl")
        engine.import_from(room / "crew.jsonl")


@cause("being asked to stop")
def _(room: Path) -> None:
    with in_memory() as engine, engine.run("nightly") as run:
        engine.cancel("nightly")
        run.checkpoint(state={})


# Handlers.


@cause("a step that takes too long")
def _(room: Path) -> None:
    with in_memory() as engine, engine.run("nightly") as run:
        run.using(timeout=0.01).step("load", lambda: threading.Event().wait(0.5))


@cause("a handler that raises in a process of its own")
def _(room: Path) -> None:
    with holdfast.open(room / "crew.db", registry=isolated) as engine:
        engine.start("raises", workflow_id="nightly")


@cause("a handler's process that dies")
def _(room: Path) -> None:
    with holdfast.open(room / "crew.db", registry=isolated) as engine:
        engine.start("dies", workflow_id="nightly")


@cause("a command that fails")
def _(room: Path) -> None:
    registry = holdfast.Registry()
    registry.command("rebuild", [sys.executable, "-c", "raise SystemExit(3)"])
    with holdfast.open(room / "crew.db", registry=registry) as engine:
        engine.checkpoint("nightly", resume_handler="rebuild")
        found = engine.recover("nightly")
        told = holdfast.CommandFailed("nightly", [sys.executable], 3)
        # Handlers that are commands are only ever recovered: that gives the error's record.
        assert found.error is not None
        assert found.error.summary == f"holdfast.CommandFailed: {told}"
        raise told


# Damage.


def behind(room: Path, statement: str) -> None:
    with closing(sqlite3.connect(room / "crew.db", isolation_level=None)) as raw:
        raw.execute(statement)


@cause("an ancestor that is missing")
def _(room: Path) -> None:
    with opened(room) as engine:
        for number in range(3):
            engine.checkpoint("nightly", patch={str(number): number})
    behind(room, "DELETE FROM checkpoints WHERE sequence = 2")
    behind(room, "DELETE FROM keyframes")
    opened(room).context("nightly")


@cause("a flipped byte in a payload")
def _(room: Path) -> None:
    with opened(room) as engine:
        engine.checkpoint("nightly", state={"text": "x" * 50})
    behind(room, "UPDATE checkpoints SET body = zeroblob(length(body))")
    _ = opened(room).get("nightly@1").state


@cause("a changed row")
def _(room: Path) -> None:
    with opened(room) as engine:
        engine.checkpoint("nightly", name="first")
    behind(room, "UPDATE checkpoints SET name = 'second'")
    opened(room).get("nightly@1")


@cause("an export that was edited")
def _(room: Path) -> None:
    with opened(room) as engine:
        engine.checkpoint("nightly", name="first")
        engine.export_to(room / "crew.jsonl")
    path = room / "crew.jsonl"
    path.write_text(path.read_text().replace("first", "other"))
    in_memory().import_from(path)


@cause("an export that was cut short")
def _(room: Path) -> None:
    with opened(room) as engine:
        engine.checkpoint("nightly", name="first")
        engine.export_to(room / "crew.jsonl")
    path = room / "crew.jsonl"
    path.write_text(path.read_text()[:-100])
    in_memory().import_from(path)


# Stores.


@cause("a store that is not there")
def _(room: Path) -> None:
    holdfast.open(room / "crew.db", create=False)


@cause("a folder that is not there")
def _(room: Path) -> None:
    holdfast.open(room / "no" / "crew.db")


@cause("a store that is locked")
def _(room: Path) -> None:
    with opened(room, settings={"write_timeout": 0.01}) as engine:
        engine.checkpoint("nightly")
        with closing(sqlite3.connect(room / "crew.db", isolation_level=None)) as raw:
            raw.execute("BEGIN IMMEDIATE")
            engine.checkpoint("nightly")


@cause("a store that was removed")
def _(room: Path) -> None:
    with opened(room) as engine:
        engine.checkpoint("nightly")
        (room / "crew.db").unlink()
        engine.checkpoint("nightly")


@cause("an engine that is closed")
def _(room: Path) -> None:
    engine = in_memory()
    engine.close()
    engine.latest("nightly")


@cause("a file that is no database")
def _(room: Path) -> None:
    (room / "crew.db").write_text("dear diary, " * 100)
    opened(room)


@cause("the database of another program")
def _(room: Path) -> None:
    behind(room, "CREATE TABLE songs (title)")
    opened(room)


@cause("a folder in place of a file")
def _(room: Path) -> None:
    (room / "crew.db").mkdir()
    opened(room)


@cause("a folder of other things")
def _(room: Path) -> None:
    (room / "notes.txt").touch()
    holdfast.open(f"json:{room}")


@cause("a store of a newer version")
def _(room: Path) -> None:
    opened(room).close()
    behind(room, "PRAGMA user_version = 999")
    opened(room)


@cause("a store of an older version, to be looked at")
def _(room: Path) -> None:
    opened(room).close()
    behind(room, "PRAGMA user_version = 1")
    from holdfast.interface.bootstrap import make_kernel

    make_kernel(room / "crew.db", upgrade=False)
