"""A stage: agents one after the other or side by side, and where they join."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_type import CheckpointType
from ...domain.error_record import ErrorRecord
from ...domain.errors import HoldfastError, InvalidRequest
from ...domain.json_value import JsonObject, JsonValue
from ...domain.payload import Payload
from ...domain.scope import Scope
from ...domain.snapshots import StageKind
from ...domain.wording import shorten
from ..commands.complete_checkpoint import CompleteCheckpoint, complete_checkpoint
from ..commands.create_checkpoint import CreateCheckpoint, create_checkpoint
from ..commands.fail_checkpoint import FailCheckpoint, fail_checkpoint
from ..commands.heartbeat import Heartbeat, heartbeat
from ..payloads import payload_of
from ..scopes import opening_entry
from ..scribe import Entry
from .flow import Flow, Gather, Settled
from .item_names import name_items
from .session import Session, store_trouble_in
from .step import ChangedInput, StepKit, StepOptions, is_changed, runs_again, step


def enter_stage(session: Session, scope: Scope, kind: str) -> Flow[bool]:
    """Open a stage; return whether it was finished before, and stays as it is."""
    session.claim(scope)
    if session.record(scope).is_finished:
        return True
    command = CreateCheckpoint(opening_entry(scope, kind=kind), credentials=session.credentials)
    yield from session.write(create_checkpoint, command)
    return False


def enter_agent(
    kit: StepKit, scope: Scope, given: JsonValue, changed_input: ChangedInput
) -> Flow[bool]:
    """Open an agent; return whether it was finished before, and stays as it is."""
    session = kit.session
    session.claim(scope)
    record = session.record(scope)
    if record.is_finished and not runs_again(scope, record, given, changed_input):
        return True
    entry = opening_entry(scope, payload_of(kit.codec, input=given, of=scope))
    changed = is_changed(record, given)
    command = CreateCheckpoint(entry, anew=changed, credentials=session.credentials)
    yield from session.write(create_checkpoint, command)
    if kit.on_work is not None:
        kit.on_work(scope)
    return False


def leave_scope(
    session: Session, scope: Scope, *, joined: bool = False, payload: Payload | None = None
) -> Flow[None]:
    """Close a stage or an agent; failed agents, whose failure was dealt with, are killed."""
    command = CompleteCheckpoint(
        scope,
        payload or Payload(),
        abandon=f"left open by {scope}",
        failed_only=True,
        joined=joined,
        credentials=session.credentials,
    )
    yield from session.write(complete_checkpoint, command)


def fail_open_scope(session: Session, scope: Scope, error: Exception) -> Flow[None]:
    """Record that *error* left a stage or an agent; what the run is stopped by is no failure."""
    if session.is_stopped_by(error):
        return
    command = FailCheckpoint(scope, ErrorRecord.of(error), session.credentials)
    try:
        yield from session.write(fail_checkpoint, command)
    except HoldfastError as trouble:
        error.add_note(f"the failure of {scope} could not be recorded: {trouble}")


def map_items(
    kit: StepKit,
    stage: Scope,
    function: Callable[..., Any],
    items: Iterable[Any],
    *,
    key: Callable[[Any], str] | None,
    workers: int,
    options: StepOptions,
) -> Flow[list[JsonValue]]:
    """Run *function* once for each item, side by side, one agent an item.

    Results come in the order of the items. When some fail the others finish first, then an
    `ExceptionGroup` of the failures is raised.
    """
    if type(workers) is not int or workers < 1:
        raise InvalidRequest(f"workers of a map in {stage} is {shorten(workers)}; give 1 or more")
    listed = list(items)
    names = name_items(listed, key, kit.codec)
    flows = [
        step(kit, Scope(stage.workflow_id, stage.stage_id, name), function, [item], {}, options)
        for name, item in zip(names, listed, strict=True)
    ]
    settled: list[Settled[JsonValue]] = yield Gather(flows, workers)
    errors = [each.error for each in settled if each.error is not None]
    if errors and not kit.session.is_completed:
        kit.session.require_alive()
    trouble = next(filter(None, map(store_trouble_in, errors)), None)
    if trouble is not None:
        raise trouble
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(listed)} agents of {stage} failed", errors)
    return [each.value for each in settled]


def save_state(
    kit: StepKit,
    scope: Scope,
    name: str | None,
    state: JsonObject | None,
    patch: JsonObject | None,
) -> Flow[Checkpoint]:
    """Write a progress checkpoint of *scope*; return it."""
    session = kit.session
    payload = payload_of(kit.codec, state=state, patch=patch)
    entry = Entry(scope, CheckpointType.PROGRESS, payload, name=name)
    command = CreateCheckpoint(entry, credentials=session.credentials)
    checkpoint: Checkpoint = yield from session.write(create_checkpoint, command)
    session.note_state(
        scope,
        kit.codec.decode(payload.state) if payload.state is not None else None,
        kit.codec.decode(payload.patch) if payload.patch is not None else None,
    )
    return checkpoint


def join(session: Session, name: str) -> Flow[Checkpoint]:
    """Write a barrier of the workflow; return it."""
    entry = Entry(session.workflow, CheckpointType.SYNC_BARRIER, name=name)
    command = CreateCheckpoint(entry, credentials=session.credentials)
    return (yield from session.write(create_checkpoint, command))


def beat(session: Session) -> Flow[None]:
    """Give a sign of life and renew the lease."""
    command = Heartbeat(session.attempt.workflow_id, session.credentials)
    cancelled: bool = yield from session.write(heartbeat, command)
    if cancelled:
        session.cancel()
        session.require_alive()


def stage_kind(kind: str) -> StageKind:
    """Return *kind* when it is one; raises `InvalidRequest`."""
    if kind not in ("sequential", "parallel", "barrier"):
        raise InvalidRequest(f"a stage is sequential, parallel or barrier, not {shorten(kind)}")
    return kind  # type: ignore[return-value]
