"""Which attempt a checkpoint was written in: its row does not say."""

from __future__ import annotations

from collections.abc import Iterable

from ..domain.attempt import Attempt
from ..domain.events import DomainEvent


def correlation_of(event: DomainEvent, attempts: Iterable[Attempt]) -> str | None:
    """Return the correlation id of the attempt, among those of its workflow, that wrote it."""
    if event.correlation_id is not None or not event.epoch:
        return event.correlation_id
    for attempt in attempts:
        # Once it was over, others may have written under the epoch that it left behind.
        if attempt.epoch == event.epoch and (
            attempt.ended_at is None or event.at <= attempt.ended_at
        ):
            return attempt.correlation_id
    return None
