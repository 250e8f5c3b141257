"""Hold everything that reading calls give against the model."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import holdfast

from .history import Key, Record, Row, Sum, Workflow, typed
from .oracle_runs import Oracle

# What retention says of itself is told in other tests.
_NOT_MODELLED = ("purged", "consolidated")


def key_of(scope: Any) -> Key:
    """Return the scope of a checkpoint, or a scope, as the model has it."""
    return tuple(part for part in (scope.stage_id, scope.agent_id) if part is not None)


def compare_lists(engine: holdfast.Engine, oracle: Oracle) -> None:
    """Hold the lists of checkpoints, workflows and attempts against the model."""
    expected = [
        (row.number, _row(workflow, row))
        for workflow in oracle.workflows.values()
        for row in workflow.kept()
    ]
    listed = [_seen(each) for each in engine.list(limit=None)]
    assert listed == [row for _, row in sorted(expected, key=lambda each: -each[0])]
    there = {name: each for name, each in oracle.workflows.items() if each.head is not None}
    summaries = {
        each.workflow_id: (each.status and each.status.value, each.epoch, each.head.sequence)
        for each in engine.workflows(limit=None)
    }
    assert summaries == {
        name: (each.status, each.lease.epoch if each.lease else 0, _head(each).sequence)
        for name, each in there.items()
    }
    for name, each in there.items():
        tried = [
            (one.number, one.epoch, one.handler, one.outcome and one.outcome.value)
            for one in engine.attempts(workflow_id=name)
        ]
        all_tries = [(one.number, one.epoch, one.handler, one.outcome) for one in each.tries]
        # Old ones go with a purge; the newest stays.
        assert tried == all_tries[len(all_tries) - len(tried) :]
        assert bool(tried) == bool(all_tries)
        if not each.was_purged:
            assert len(tried) == len(all_tries)
        assert engine.latest(workflow_id=name).id.sequence == _head(each).sequence


def compare_stale(engine: holdfast.Engine, oracle: Oracle, threshold: timedelta) -> None:
    """Hold what is found stale against the model."""
    found = {
        each.workflow_id: (
            each.status.value,
            each.because.value,
            each.since,
            each.epoch,
            tuple(map(key_of, each.open_scopes)),
            each.handler,
            {obstacle.kind.value for obstacle in each.obstacles},
        )
        for each in engine.stale(threshold)
    }
    assert found == oracle.stale(threshold)


def compare_plan(engine: holdfast.Engine, oracle: Oracle, name: str) -> None:
    """Hold what a recovery would do against the model: whose handler, and what is in the way."""
    planned = engine.recover(workflow_id=name, explain=True)
    seen = (
        key_of(planned.scope),
        planned.handler,
        {each.kind.value for each in planned.obstacles},
    )
    assert seen == oracle.plan(name, (), None, force=False)


def compare_context(engine: holdfast.Engine, workflow: Workflow, row: Row) -> None:
    """Hold a context against the model, in value and in type."""
    context = engine.context(checkpoint_id(workflow.name, row))
    past = workflow.add_up(row.sequence)
    assert typed(seen_context(context)) == typed(expected_context(past, row.key))
    kept = [each.sequence for each in workflow.chain(row.sequence)]
    chain = [each.sequence for each in context.chain]
    assert chain == kept[: len(chain)]


def seen_context(context: holdfast.ExecutionContext) -> dict[str, Any]:
    """Return a context as plain values."""
    return {
        "workflow": context.workflow_state,
        "own stage": context.stage_state,
        "own agent": context.agent_state,
        "stages": dict(context.stages),
        "agents": {"/".join(key): state for key, state in context.agents.items()},
        "outputs": dict(context.outputs),
        "interrupted": [
            ["/".join(key_of(each.scope)), each.opening.sequence, each.since, each.input]
            for each in context.interrupted
        ],
    }


def expected_context(past: Sum, own: Key) -> dict[str, Any]:
    """Return what a chain adds up to, as plain values."""
    states = {key: record.state for key, record in past.items()}
    opened = sorted(
        (record.opening or 0, key, record) for key, record in past.items() if record.is_open
    )
    return {
        "workflow": states.get((), {}),
        "own stage": states.get(own[:1], {}) if own else {},
        "own agent": states.get(own, {}) if len(own) == 2 else {},
        "stages": {key[0]: state for key, state in states.items() if len(key) == 1},
        "agents": {"/".join(key): state for key, state in states.items() if len(key) == 2},
        "outputs": {
            "/".join(key): record.output
            for key, record in past.items()
            if record.is_finished and key
        },
        "interrupted": [
            ["/".join(key), opening, record.since, record.input] for opening, key, record in opened
        ],
    }


def compare_events(engine: holdfast.Engine, oracle: Oracle, after: int) -> int:
    """Hold the events above a number against those that were expected; return the last number."""
    found = engine.events(after=after, limit=100_000)
    numbers = [each.number for each in found]
    assert numbers == sorted(set(numbers))
    seen: Counter[tuple[str, str, int | None]] = Counter()
    for each in found:
        if each.kind.value in _NOT_MODELLED:
            continue
        about = each.checkpoint_id.sequence if each.checkpoint_id else None
        if each.kind.value == "attempt_begun":
            about = None
        seen[each.kind.value, each.workflow_id, about] += 1
    assert seen == oracle.events
    oracle.events.clear()
    return max([after, *numbers])


def adopt_fork(engine: holdfast.Engine, oracle: Oracle, source: tuple[str, Row], new: str) -> None:
    """Hold a fork against what it was made from; then take its checkpoints into the model."""
    name, row = source
    past = oracle.of(name).add_up(row.sequence)
    past.setdefault((), Record()).is_open = True
    past[()].is_finished = False
    seen = seen_context(engine.context(workflow_id=new))
    expected = expected_context(past, ())
    for each in (seen, expected):
        del each["own stage"], each["own agent"]
        for states in (each["stages"], each["agents"]):
            for key in [key for key, state in states.items() if not state]:
                del states[key]
        each["interrupted"] = sorted(
            (key, typed(given)) for key, _, _, given in each["interrupted"]
        )
    assert typed(seen) == typed(expected)
    workflow = oracle.of(new)
    highest = max(workflow.rows, default=0)
    for one in reversed(engine.list(workflow_id=new, limit=None)):
        if one.id.sequence <= highest:
            continue
        oracle.numbers += 1
        parent = one.parent_id.sequence if one.parent_id else None
        workflow.rows[one.id.sequence] = Row(
            oracle.numbers,
            one.id.sequence,
            key_of(one.id),
            one.type.value,
            one.status.value,
            parent,
            one.created_at,
            one.updated_at,
            one.epoch,
            name=one.name,
            kind=one.kind,
            handler=one.resume_handler,
            input=one.input,
            output=one.output,
            state=one.state,
            max_retries=one.max_retries,
        )
        if one.type.value == "workflow_start":
            workflow.opening = one.id.sequence
            if workflow.lease is not None:
                workflow.lease.stop = False
        oracle.tell("created", new, one.id.sequence)
        if one.type.opens and one.status.value == "completed":
            oracle.tell("completed", new, one.id.sequence)


def checkpoint_id(name: str, row: Row) -> holdfast.CheckpointId:
    """Return the id of a row."""
    stage, agent = (*row.key, None, None)[:2]
    return holdfast.CheckpointId(name, stage, agent, row.sequence)


def _head(workflow: Workflow) -> Row:
    assert workflow.head is not None
    return workflow.head


def _row(workflow: Workflow, row: Row) -> tuple[Any, ...]:
    parent = workflow.rows[row.parent].sequence if row.parent is not None else None
    told = (row.name, row.kind, row.handler, row.epoch, row.retries, row.max_retries)
    times = (row.at, row.updated)
    return (workflow.name, row.key, row.sequence, row.type, row.status, parent, *told, *times)


def _seen(each: holdfast.Checkpoint) -> tuple[Any, ...]:
    parent = each.parent_id.sequence if each.parent_id else None
    told = (each.name, each.kind, each.resume_handler, each.epoch)
    counts = (each.retry_count, each.max_retries)
    what = (each.type.value, each.status.value, parent)
    at = each.id
    return (
        at.workflow_id,
        key_of(at),
        at.sequence,
        *what,
        *told,
        *counts,
        each.created_at,
        each.updated_at,
    )
