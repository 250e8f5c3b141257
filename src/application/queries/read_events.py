"""Read the log of what happened."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...domain.attempt import Attempt
from ...domain.errors import Damaged
from ...domain.events import DomainEvent, EventKind
from ...domain.ports import OnDamage, UnitOfWork
from ..correlation import correlation_of
from ..environment import Environment
from ..unknown import refuse_unknown


@dataclass(frozen=True, slots=True)
class ReadEvents:
    """Read the events numbered above *after*, the oldest first, at most *limit*."""

    after: int = 0
    workflow_id: str | None = None
    limit: int = 1000
    on_damage: OnDamage | None = None


def read_events(
    query: ReadEvents,
    *,
    uow: UnitOfWork,
    env: Environment,  # noqa: ARG001
) -> list[DomainEvent]:
    """Handle `ReadEvents`.

    Raises:
        NotFound: it asks for one workflow, and nothing ever happened to that; with near names.
    """
    if query.workflow_id is not None:
        _require_known(query.workflow_id, uow)
    found = uow.events.read(
        after=query.after,
        workflow_id=query.workflow_id,
        limit=query.limit,
        on_damage=query.on_damage,
    )
    known: dict[str, list[Attempt]] = {}
    return [_correlated(event, uow, known, query.on_damage) for event in found]


def _require_known(workflow_id: str, uow: UnitOfWork) -> None:
    # What happened is kept for longer than the checkpoints that it happened to.
    if uow.checkpoints.standing(workflow_id) is None and not uow.events.read(
        workflow_id=workflow_id, limit=1
    ):
        refuse_unknown(workflow_id, uow)


def _correlated(
    event: DomainEvent, uow: UnitOfWork, known: dict[str, list[Attempt]], on_damage: OnDamage | None
) -> DomainEvent:
    """Return *event* with its attempt's correlation id, which a checkpoint's row does not have."""
    if event.kind is not EventKind.CREATED or event.correlation_id is not None or not event.epoch:
        return event
    if event.workflow_id not in known:
        try:
            known[event.workflow_id] = uow.attempts.all(event.workflow_id)
        except Damaged as damage:
            if on_damage is None:
                raise
            on_damage(damage)
            known[event.workflow_id] = []
    return replace(event, correlation_id=correlation_of(event, known[event.workflow_id]))
