"""Read the log of what happened."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.events import DomainEvent
from ...domain.ports import UnitOfWork
from ..environment import Environment


@dataclass(frozen=True, slots=True)
class ReadEvents:
    """Read the events numbered above *after*, the oldest first, at most *limit*."""

    after: int = 0
    workflow_id: str | None = None
    limit: int = 1000


def read_events(
    query: ReadEvents,
    *,
    uow: UnitOfWork,
    env: Environment,  # noqa: ARG001
) -> list[DomainEvent]:
    """Handle `ReadEvents`."""
    return uow.events.read(after=query.after, workflow_id=query.workflow_id, limit=query.limit)
