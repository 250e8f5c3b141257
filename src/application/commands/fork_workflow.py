"""Start a new workflow from what another one adds up to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_type import CheckpointType
from ...domain.errors import InvalidRequest
from ...domain.json_value import JsonValue
from ...domain.payload import Payload
from ...domain.ports import Codec, UnitOfWork
from ...domain.replay import Replay
from ...domain.scope import Scope
from ...domain.scope_record import ScopeRecord
from ..environment import Environment
from ..payloads import payload_of
from ..scopes import close_scope, closing_entry, opening_entry
from ..scribe import Entry, Scribe


@dataclass(frozen=True, slots=True)
class ForkWorkflow:
    """Start a new workflow; its chain stands for itself.

    Attributes:
        entries: what it begins with, as `fork_entries` gives them.
    """

    workflow_id: str
    entries: tuple[Entry, ...]


def fork_workflow(command: ForkWorkflow, *, uow: UnitOfWork, env: Environment) -> Checkpoint:
    """Handle `ForkWorkflow`, as one change; return the opening of the new workflow."""
    if uow.checkpoints.standing(command.workflow_id) is not None:
        raise InvalidRequest(
            f"{Scope(command.workflow_id)} exists already; give the fork another name"
        )
    scribe = Scribe.admitted(command.workflow_id, None, uow=uow, env=env)
    opening, *rest = command.entries
    opened = scribe.write(opening)
    for entry in rest:
        if entry.type.closes:
            close_scope(scribe, entry)
        else:
            scribe.write(entry)
    return opened


def fork_entries(
    source: CheckpointId,
    replay: Replay,
    opening: Checkpoint | None,
    workflow_id: str,
    codec: Codec,
) -> tuple[Entry, ...]:
    """Return what a workflow begins with that adds up to what *replay* does.

    Finished stages and agents are finished in it, open ones are open, states are as they were; the
    workflow itself is open, whether it was or not.

    Args:
        source: where *replay* stands.
        opening: that of the workflow it is of.
    """
    metadata: dict[str, JsonValue] = dict(opening.metadata) if opening else {}
    metadata["forked_from"] = str(source)
    record = replay.record(Scope(source.workflow_id))
    first = opening_entry(
        Scope(workflow_id),
        _payload(record, codec, given=True),
        name=record.title,
        resume_handler=record.handler,
        metadata=metadata,
        **({"max_retries": opening.max_retries} if opening else {}),
    )
    return (first, *_inside(replay, workflow_id, codec))


def _inside(replay: Replay, workflow_id: str, codec: Codec) -> Iterator[Entry]:
    stages: dict[Scope, list[Scope]] = {}
    for scope in replay.scopes:
        if scope.kind != "workflow":
            agents = stages.setdefault(scope.lineage[-2], [])
            if scope.kind == "agent":
                agents.append(scope)
    for stage, agents in stages.items():
        yield from _entered(stage, replay.record(stage), workflow_id, codec)
        for agent in agents:
            yield from _entered(agent, replay.record(agent), workflow_id, codec)
            yield from _closed(agent, replay.record(agent), workflow_id, codec)
        yield from _closed(stage, replay.record(stage), workflow_id, codec)


def _entered(scope: Scope, record: ScopeRecord, workflow_id: str, codec: Codec) -> Iterator[Entry]:
    own = Scope(workflow_id, scope.stage_id, scope.agent_id)
    if record.is_open or record.is_finished:
        payload = _payload(record, codec, given=True)
        yield opening_entry(
            own, payload, name=record.title, kind=record.kind, resume_handler=record.handler
        )
    elif record.state:
        # Never opened, or given up inside something that was closed.
        payload = _payload(record, codec, given=False)
        yield Entry(own, CheckpointType.PROGRESS, payload, resume_handler=record.handler)


def _closed(scope: Scope, record: ScopeRecord, workflow_id: str, codec: Codec) -> Iterator[Entry]:
    if record.is_finished:
        own = Scope(workflow_id, scope.stage_id, scope.agent_id)
        yield closing_entry(own, payload_of(codec, output=record.output))


def _payload(record: ScopeRecord, codec: Codec, *, given: bool) -> Payload:
    return payload_of(
        codec,
        state=record.state or None,
        input=record.input if given else None,
    )
