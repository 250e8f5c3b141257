"""Histories of all kinds, the plain model of what a purge leaves of them, and a look behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import holdfast
from holdfast.domain.json_value import canonical
from holdfast.domain.retention import AgedCheckpoint
from holdfast.infrastructure.clock import ManualClock
from holdfast.infrastructure.sqlite import statements as sql
from holdfast.infrastructure.sqlite.rows import CheckpointRow, digest, link_of, seal_of
from hypothesis import strategies as st

WORKFLOWS = ("a", "b/ü")
SCOPES: tuple[tuple[str | None, str | None], ...] = (
    (None, None),
    ("s", None),
    ("s", "x"),
    ("s", "y"),
)

Op = tuple[Any, ...]

_workflow = st.sampled_from(WORKFLOWS)
_scope = st.sampled_from(SCOPES)
_value = st.sampled_from([1, 1.0, True, "text", None, [1, {"k": 2}], "long " * 300])
_state = st.dictionaries(st.sampled_from("pqr"), _value, max_size=3)
OPS: st.SearchStrategy[Op] = st.one_of(
    st.tuples(st.just("save"), _workflow, _scope, st.sampled_from(["state", "patch"]), _state),
    st.tuples(st.just("burst"), _workflow, st.integers(3, 12), _state),
    st.tuples(st.just("open"), _workflow, _scope),
    st.tuples(st.just("close"), _workflow, st.integers(0, 5)),
    st.tuples(st.just("fail"), _workflow, st.integers(0, 5)),
    st.tuples(st.just("wait"), _workflow),
    st.tuples(st.just("cancel"), _workflow),
    st.tuples(st.just("retry"), _workflow),
    st.tuples(st.just("parent"), _workflow, st.integers(0, 40), _state),
    st.tuples(st.just("fork"), _workflow, st.integers(0, 40), st.sampled_from(["f1", "f2"])),
    st.tuples(st.just("age"), st.sampled_from([0.5, 5.0, 20.0, 40.0])),
    st.tuples(
        st.just("retain"), _workflow, st.sampled_from([None, 0, 90]), st.sampled_from([None, 0, 9])
    ),
    st.tuples(st.just("back"), st.sampled_from([1.0, 15.0])),
)
# Something to begin with, something of every kind, and time for it to grow old.
_BURSTS = st.tuples(st.just("burst"), _workflow, st.integers(6, 14), _state)
HISTORIES = st.builds(
    lambda first, some, second, more, age: [first, *some, second, *more, age],
    _BURSTS,
    st.lists(OPS, min_size=2, max_size=12),
    _BURSTS,
    st.lists(OPS, min_size=2, max_size=12),
    st.tuples(st.just("age"), st.sampled_from([0.0, 15.0, 45.0])),
)
_keep = st.sampled_from([0, 1, 2, 5])
_max_age = st.sampled_from([0, 1, 10, 30]).map(lambda days: timedelta(days=days))
# Nothing at all: the store's policy, or what a workflow says of its own.
POLICIES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(dict),
    st.fixed_dictionaries({"keep": _keep}),
    st.fixed_dictionaries({"max_age": _max_age}),
    st.fixed_dictionaries({"keep": _keep, "max_age": _max_age}),
    st.fixed_dictionaries({"max_bytes": st.sampled_from([0, 700, 3_000, 12_000])}),
)
GENERAL = (10.0, 3)
"""The store's policy: days, and how many of the newest."""


def perform(engine: holdfast.Engine, clock: ManualClock, op: Op) -> None:
    """Do one thing to the history; what is refused as things stand is left out."""
    with suppress(holdfast.Refused, holdfast.InvalidRequest, holdfast.NotFound):
        _DO[op[0]](engine, clock, *op[1:])


def _save(
    engine: holdfast.Engine, clock: ManualClock, name: str, scope: Any, how: str, value: Any
) -> None:
    stage, agent = scope
    engine.checkpoint(name, stage_id=stage, agent_id=agent, **{how: value})


def _burst(engine: holdfast.Engine, clock: ManualClock, name: str, count: int, value: Any) -> None:
    for number in range(count):
        engine.checkpoint(name, name=f"n{number % 3}", state={**value, "n": number})
        clock.advance(3600)


def _open(engine: holdfast.Engine, clock: ManualClock, name: str, scope: Any) -> None:
    stage, agent = scope
    kind = "agent_start" if agent else "stage_start" if stage else "workflow_start"
    engine.checkpoint(
        name, type=kind, stage_id=stage, agent_id=agent, resume_handler="h", input={"of": kind}
    )


def _opening(engine: holdfast.Engine, name: str, index: int) -> holdfast.Checkpoint:
    found = [each for each in engine.list(workflow_id=name, limit=None) if each.type.opens]
    open_ones = [each for each in found if not each.status.is_final]
    if not open_ones:
        raise holdfast.InvalidRequest("nothing is open")
    return open_ones[index % len(open_ones)]


def _close(engine: holdfast.Engine, clock: ManualClock, name: str, index: int) -> None:
    engine.complete(_opening(engine, name, index).id, {"done": index}, abandon=index % 2 == 0)


def _fail(engine: holdfast.Engine, clock: ManualClock, name: str, index: int) -> None:
    engine.fail(_opening(engine, name, index).id, ValueError("no"))


def _wait(engine: holdfast.Engine, clock: ManualClock, name: str) -> None:
    with engine.run(name, handler="h") as run:
        run.wait("q", ask={"which": 1})


def _cancel(engine: holdfast.Engine, clock: ManualClock, name: str) -> None:
    engine.cancel(workflow_id=name)


def _retry(engine: holdfast.Engine, clock: ManualClock, name: str) -> None:
    engine.retry(workflow_id=name)


def _any(engine: holdfast.Engine, name: str, index: int) -> holdfast.Checkpoint:
    found = engine.list(workflow_id=name, limit=None)
    return found[index % len(found)]


def _parent(engine: holdfast.Engine, clock: ManualClock, name: str, index: int, value: Any) -> None:
    engine.checkpoint(name, parent=_any(engine, name, index).id, state=value)


def _fork(engine: holdfast.Engine, clock: ManualClock, name: str, index: int, new: str) -> None:
    engine.fork(_any(engine, name, index).id, new)


def _age(engine: holdfast.Engine, clock: ManualClock, days: float) -> None:
    clock.advance(days * 86_400)


def _retain(
    engine: holdfast.Engine, clock: ManualClock, name: str, days: float | None, count: int | None
) -> None:
    engine.retain(workflow_id=name, days=days, count=count)


def _back(engine: holdfast.Engine, clock: ManualClock, days: float) -> None:
    clock.set_wall(clock.moment().wall - timedelta(days=days))


_DO: dict[str, Callable[..., None]] = {
    "save": _save,
    "burst": _burst,
    "open": _open,
    "close": _close,
    "fail": _fail,
    "wait": _wait,
    "cancel": _cancel,
    "retry": _retry,
    "parent": _parent,
    "fork": _fork,
    "age": _age,
    "retain": _retain,
    "back": _back,
}


@dataclass(frozen=True)
class Seen:
    """What can be seen of a checkpoint."""

    id: holdfast.CheckpointId
    fields: str
    context: str


def look(engine: holdfast.Engine) -> dict[str, Seen]:
    """Return everything that is there, by id."""
    found = {}
    for each in engine.list(limit=None):
        fields = (each.type, each.status, each.created_at, each.parent_id, each.metadata)
        held = (each.state, each.input, each.output)
        context = canonical([engine.context(each.id).to_dict(), *held])
        found[str(each.id)] = Seen(each.id, repr(fields), context)
    return found


def kept_by_the_model(engine: holdfast.Engine, now: datetime, limits: dict[str, Any]) -> set[str]:
    """Return the ids that are to stay: a plain reading of the rules."""
    below = _below(engine, limits)
    kept = set()
    for name in {each.id.workflow_id for each in engine.list(limit=None)}:
        newest_first = engine.list(workflow_id=name, limit=None)
        aged = {each.sequence: each for each in _aged(engine, name)}
        openings = [each for each in newest_first if each.type.value == "workflow_start"]
        stands_on = _standing_opening(engine, name)
        assert stands_on is None or stands_on in [each.id for each in openings]
        for newer, each in enumerate(newest_first):
            days, count = _policy(engine, name)
            if limits:
                old = "max_age" not in limits or each.created_at < now - limits["max_age"]
                beyond = newer >= limits.get("keep", 0)
            else:
                old = each.created_at < now - timedelta(days=days)
                beyond = newer >= count
            over = below is None or aged[each.id.sequence].number < below
            recoverable = each.type.opens and not each.status.is_final
            if not (old and beyond and over) or newer == 0 or recoverable or each.id == stands_on:
                kept.add(str(each.id))
    return kept


def _policy(engine: holdfast.Engine, name: str) -> tuple[float, int]:
    own = engine._kernel.store.read(lambda uow: uow.retention.policy(name))
    days, count = GENERAL
    return days if own.days is None else own.days, count if own.count is None else own.count


def _below(engine: holdfast.Engine, limits: dict[str, Any]) -> int | None:
    if "max_bytes" not in limits:
        return None
    names = {each.id.workflow_id for each in engine.list(limit=None)}
    sizes = sorted((-each.number, each.size) for name in names for each in _aged(engine, name))
    room = limits["max_bytes"]
    for number, size in sizes:
        room -= size
        if room < 0:
            return -number + 1
    return 0


def _aged(engine: holdfast.Engine, name: str) -> list[AgedCheckpoint]:
    return engine._kernel.store.read(lambda uow: list(uow.retention.aged(name)))


def _standing_opening(engine: holdfast.Engine, name: str) -> holdfast.CheckpointId | None:
    standing = engine._kernel.store.read(lambda uow: uow.checkpoints.standing(name))
    return standing.opening if standing else None


def damage_in(target: str) -> list[str]:
    """Return what is wrong with a store: digests, seals, links, keyframes, numbers."""
    with holdfast.open(target, durability="process") as engine:
        wrong = [str(each) for each in engine.verify().findings]
    return wrong if target.startswith("json:") else wrong + _damage_in_file(target)


def _damage_in_file(path: str) -> list[str]:
    """Look with eyes of our own."""
    wrong = []
    with closing(sqlite3.connect(path)) as raw:
        wrong += [str(row) for row in raw.execute("PRAGMA integrity_check") if row != ("ok",)]
        names = dict(raw.execute("SELECT id, workflow_id FROM workflows"))
        rows = [
            (CheckpointRow._make(found[:-1]), found[-1])
            for found in raw.execute(
                f"SELECT {sql.CHECKPOINT_COLUMNS}, body FROM checkpoints"  # noqa: S608
            )
        ]
        by_sequence = {(row.workflow, row.sequence): row for row, _ in rows}
        frames = {row[0]: row for row in raw.execute("SELECT number, base FROM keyframes")}
        for row, body in rows:
            name = f"{names[row.workflow]}@{row.sequence}"
            if digest(body or b"") != row.body_digest:
                wrong.append(f"{name}: body")
            if seal_of(tuple(row[:-1])) != row.seal:
                wrong.append(f"{name}: seal")
            parent = by_sequence.get((row.workflow, row.parent or 0))
            if row.parent is not None and parent is None and row.keyframe != row.number:
                wrong.append(f"{name}: its parent is gone, and it does not stand for itself")
            if row.parent is None or parent is not None:
                above = parent.link if parent else b""
                if link_of(above, names[row.workflow], tuple(row[:-2])) != row.link:
                    wrong.append(f"{name}: link")
            if row.keyframe == row.number and row.number not in frames:
                wrong.append(f"{name}: its keyframe is missing")
        numbers = {row.number for row, _ in rows}
        for number, base in frames.values():
            if number not in numbers:
                wrong.append(f"keyframe {number} belongs to nothing")
            if base is not None and base not in frames:
                wrong.append(f"keyframe {number} has lost its base")
        for table in ("events", "leases", "attempts", "workflows", "purged", "retention"):
            for found in raw.execute(f"SELECT * FROM {table}"):  # noqa: S608
                if seal_of(found[:-1]) != found[-1]:
                    wrong.append(f"{table}: {found[:2]}")
    return wrong
