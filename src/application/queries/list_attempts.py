"""List what was tried."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.attempt import Attempt
from ...domain.ports import UnitOfWork
from ..environment import Environment
from .get_checkpoint import require_workflow


@dataclass(frozen=True, slots=True)
class ListAttempts:
    """List the attempts of a workflow, the oldest first."""

    workflow_id: str


def list_attempts(
    query: ListAttempts,
    *,
    uow: UnitOfWork,
    env: Environment,  # noqa: ARG001
) -> list[Attempt]:
    """Handle `ListAttempts`; raises `NotFound` with near names."""
    require_workflow(query.workflow_id, uow)
    return uow.attempts.all(query.workflow_id)
