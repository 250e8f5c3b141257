"""What a resume handler is given: what the chain adds up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .checkpoint_id import CheckpointId
from .json_value import JsonObject, JsonValue
from .replay import Replay
from .scope import Scope
from .snapshots import AgentStateSnapshot, StageStateSnapshot, WorkflowStateSnapshot


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A scope that was opened and not closed.

    Attributes:
        opening: the checkpoint that opened it.
        since: when that was.
        input: what it was given.
    """

    scope: Scope
    opening: CheckpointId
    since: datetime
    input: JsonValue


@dataclass(frozen=True, slots=True)
class ExecutionContext:
    """What a chain adds up to from its root. Read-only.

    Attributes:
        checkpoint_id: the checkpoint that it was rebuilt at.
        workflow_state: the shared state of the workflow.
        stage_state: of the checkpoint's own stage; ``{}`` where it has none.
        agent_state: of the checkpoint's own agent; ``{}`` where it has none.
        stages: state by stage id.
        agents: state by ``(stage id, agent id)``.
        outputs: of what is finished, by ``"stage"`` or ``"stage/agent"``, encoded as in ids, in
            the order of completion.
        interrupted: scopes opened and not closed, in the order of opening.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     saved = engine.checkpoint("nightly", state={"rows": 3})
    ...     opened = engine.checkpoint("nightly", stage_id="load", type="stage_start", input="src")
    ...     context = engine.context("nightly")
    >>> context.workflow_state, [(str(each.scope), each.input) for each in context.interrupted]
    ({'rows': 3}, [('nightly/load', 'src')])
    """

    checkpoint_id: CheckpointId
    workflow_id: str
    workflow_state: JsonObject
    stage_state: JsonObject
    agent_state: JsonObject
    stages: Mapping[str, JsonObject]
    agents: Mapping[tuple[str, str], JsonObject]
    outputs: Mapping[str, JsonValue]
    interrupted: tuple[Interrupted, ...]
    _read_chain: Callable[[], tuple[CheckpointId, ...]] = field(repr=False, compare=False)

    @property
    def chain(self) -> tuple[CheckpointId, ...]:
        """The ids from this checkpoint back to the oldest kept; read when asked for."""
        return self._read_chain()

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form; equal contexts have equal canonical JSON. Without the chain."""
        return {
            "checkpoint_id": str(self.checkpoint_id),
            "workflow_id": self.workflow_id,
            "workflow_state": self.workflow_state,
            "stage_state": self.stage_state,
            "agent_state": self.agent_state,
            "stages": dict(self.stages),
            "agents": {
                Scope(self.workflow_id, *key).key: state for key, state in self.agents.items()
            },
            "outputs": dict(self.outputs),
            "interrupted": [
                {
                    "scope": str(each.scope),
                    "opening": str(each.opening),
                    "since": each.since.isoformat(),
                    "input": each.input,
                }
                for each in self.interrupted
            ],
        }


def context_of(
    replay: Replay, read_chain: Callable[[], tuple[CheckpointId, ...]]
) -> ExecutionContext:
    """Return the context that *replay* adds up to; it must have at least one checkpoint."""
    head = replay.head
    if head is None:
        raise ValueError("a chain without checkpoints adds up to nothing")
    scopes = replay.scopes.items()
    return ExecutionContext(
        checkpoint_id=head,
        workflow_id=head.workflow_id,
        workflow_state=replay.record(Scope(head.workflow_id)).state,
        stage_state=_own_state(replay, head.workflow_id, head.stage_id),
        agent_state=_own_state(replay, head.workflow_id, head.stage_id, head.agent_id),
        stages={
            scope.stage_id: record.state
            for scope, record in scopes
            if scope.stage_id is not None and scope.agent_id is None
        },
        agents={
            (scope.stage_id, scope.agent_id): record.state
            for scope, record in scopes
            if scope.stage_id is not None and scope.agent_id is not None
        },
        outputs={scope.key: record.output for scope, record in replay.finished() if scope.stage_id},
        interrupted=tuple(
            Interrupted(scope, record.opening, record.since, record.input)
            for scope, record in replay.open_scopes()
            if record.opening is not None and record.since is not None
        ),
        _read_chain=read_chain,
    )


def workflow_snapshot(replay: Replay, workflow_id: str) -> WorkflowStateSnapshot:
    """Return the workflow as the chain leaves it."""
    record = replay.record(Scope(workflow_id))
    opened = [scope.stage_id for scope, _ in replay.open_scopes() if _is_stage(scope)]
    active = opened[-1] if opened else None
    return WorkflowStateSnapshot(
        workflow_id=workflow_id,
        name=record.title,
        active_stage=active,
        completed_stages=_names(s.stage_id for s, _ in replay.finished() if _is_stage(s)),
        pending_stages=_names(stage for stage in opened if stage != active),
        context=record.state,
    )


def stage_snapshot(replay: Replay, scope: Scope) -> StageStateSnapshot | None:
    """Return the stage around *scope* as the chain leaves it; ``None`` for a workflow scope."""
    if scope.stage_id is None:
        return None
    stage = Scope(scope.workflow_id, scope.stage_id)
    record = replay.record(stage)
    return StageStateSnapshot(
        stage_id=scope.stage_id,
        name=record.title,
        kind=record.kind or "sequential",  # type: ignore[arg-type]
        active_agents=_names(s.agent_id for s, _ in replay.open_scopes() if stage.encloses(s)),
        completed_agents=_names(s.agent_id for s, _ in replay.finished() if stage.encloses(s)),
        context=record.state,
    )


def agent_snapshot(replay: Replay, scope: Scope) -> AgentStateSnapshot | None:
    """Return the agent that *scope* is as the chain leaves it; ``None`` for any other scope."""
    if scope.agent_id is None:
        return None
    record = replay.record(scope)
    return AgentStateSnapshot(
        agent_id=scope.agent_id,
        name=record.title,
        family=record.kind,
        input=record.input,
        output=record.output,
        started_at=record.since,
        ended_at=record.until,
        context=record.state,
    )


def _own_state(replay: Replay, workflow_id: str, *parts: str | None) -> JsonObject:
    return {} if None in parts else replay.record(Scope(workflow_id, *parts)).state


def _is_stage(scope: Scope) -> bool:
    return scope.kind == "stage"


def _names(parts: Any) -> tuple[str, ...]:
    return tuple(part for part in parts if part is not None)
