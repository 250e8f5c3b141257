"""The state of a workflow, a stage and an agent as a checkpoint saw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .json_value import JsonObject, JsonValue

StageKind = Literal["sequential", "parallel", "barrier", "wait"]


@dataclass(frozen=True, slots=True)
class WorkflowStateSnapshot:
    """The state of a workflow at a checkpoint.

    Attributes:
        active_stage: the stage opened last of those that are open.
        completed_stages: in the order of their completion.
        pending_stages: the other stages that were opened and are not done.
        context: the shared state of the workflow.
    """

    workflow_id: str
    name: str | None
    active_stage: str | None
    completed_stages: tuple[str, ...]
    pending_stages: tuple[str, ...]
    context: JsonObject


@dataclass(frozen=True, slots=True)
class StageStateSnapshot:
    """The state of a stage at a checkpoint; agents in the order of opening and of completion."""

    stage_id: str
    name: str | None
    kind: StageKind
    active_agents: tuple[str, ...]
    completed_agents: tuple[str, ...]
    context: JsonObject


@dataclass(frozen=True, slots=True)
class AgentStateSnapshot:
    """The state of an agent at a checkpoint: what it was given, what it gave, and when."""

    agent_id: str
    name: str | None
    family: str | None
    input: JsonValue
    output: JsonValue
    started_at: datetime | None
    ended_at: datetime | None
    context: JsonObject
