"""List workflows at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from ...domain.checkpoint_status import CheckpointStatus
from ...domain.ports import OnDamage, UnitOfWork
from ...domain.workflow_summary import WorkflowSummary
from ..environment import Environment


@dataclass(frozen=True, slots=True)
class ListWorkflows:
    """List the workflows with that status, the one written to last first, at most *limit*."""

    status: CheckpointStatus | None = None
    limit: int | None = 100
    on_damage: OnDamage | None = None


def list_workflows(
    query: ListWorkflows,
    *,
    uow: UnitOfWork,
    env: Environment,  # noqa: ARG001
) -> list[WorkflowSummary]:
    """Handle `ListWorkflows`."""
    return list(
        islice(
            uow.checkpoints.summaries(status=query.status, on_damage=query.on_damage), query.limit
        )
    )
