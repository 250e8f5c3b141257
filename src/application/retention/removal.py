"""Take what a plan lets go out of one workflow, in slices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from ...domain.events import DomainEvent, EventKind
from ...domain.json_value import JsonValue
from ...domain.ports import Store, UnitOfWork
from ...domain.retention import RetentionPlan, Sequences
from ..environment import Environment
from .claim import Claim
from .reports import Tally

Ranges: TypeAlias = list[tuple[int, int]]

# In one transaction: so many rows, or so many bytes, go in some milliseconds.
MOST_ROWS = 400
_MOST_BYTES = 4 << 20
_SEQUENCES_TOLD = 20


def remove_slices(
    plan: RetentionPlan, now: datetime, *, claim: Claim, store: Store, env: Environment
) -> Iterator[Tally]:
    """Take what *plan* lets go out of its workflow; give what each slice did.

    First whatever stays without its parent is made to stand for itself. Then the rest goes, the
    newest first, so that at every moment each checkpoint that is left has its context.

    Raises:
        Damaged: what would have to stand for itself cannot be rebuilt; nothing went.
        PurgeUnderWay: the right to purge was lost.
    """
    removal = _Removal(plan, now, claim, store, env)
    yield from removal.consolidate()
    yield from removal.remove()


def batches_of(sequences: Sequences, size: int) -> Iterator[Ranges]:
    """Iterate over what goes in one transaction each, the highest first.

    Args:
        size: of all of them, in bytes.
    """
    most = max(1, min(MOST_ROWS, _MOST_BYTES * len(sequences) // max(1, size)))
    batch: Ranges = []
    rows = 0
    for first, last in sequences.batches(most):
        if batch and rows + last - first + 1 > most:
            yield batch
            batch, rows = [], 0
        batch.append((first, last))
        rows += last - first + 1
    if batch:
        yield batch


class _Removal:
    """One workflow on its way."""

    def __init__(
        self, plan: RetentionPlan, now: datetime, claim: Claim, store: Store, env: Environment
    ) -> None:
        self._plan = plan
        self._name = plan.workflow_id
        self._now = now
        self._claim = claim
        self._store = store
        self._env = env
        # Up to here somebody has looked for children of what goes: the plan, or a slice.
        self._seen = plan.head
        self._total = Tally()

    def consolidate(self) -> Iterator[Tally]:
        """Make whatever stays without its parent stand for itself, the oldest first."""
        near: int | None = None
        for cut in self._plan.cuts:
            # Found before the write lock is taken: what a checkpoint adds up to never changes.
            prepare = partial(_prepare, workflow_id=self._name, cut=cut, near=near)
            prepared = self._store.read(prepare)
            if prepared is not None:
                yield self._slice(partial(self._cut, cut=cut, prepared=prepared))
            near = cut

    def remove(self) -> Iterator[Tally]:
        """Remove what goes, and the events and attempts from before the boundary."""
        batches = list(batches_of(self._plan.going, self._plan.size))
        for batch in batches:
            yield self._slice(partial(self._take, batch=batch, is_last=batch is batches[-1]))
        while True:
            tally = self._slice(self._age_events)
            if not tally.events:
                return
            yield tally

    def _slice(self, work: Callable[[UnitOfWork], tuple[Tally, int]]) -> Tally:
        def claimed(uow: UnitOfWork) -> tuple[Tally, int]:
            self._claim.show(uow, self._env)
            return work(uow)

        tally, self._seen = self._store.write(claimed)
        self._total += tally
        return tally

    def _cut(self, uow: UnitOfWork, cut: int, prepared: Any) -> tuple[Tally, int]:
        changed = uow.retention.consolidate(self._name, cut, prepared)
        return Tally(consolidated=int(changed)), self._seen

    def _take(self, uow: UnitOfWork, batch: Ranges, is_last: bool) -> tuple[Tally, int]:
        tally, seen = self._cut_newcomers(uow)
        for first, last in batch:
            removed = uow.retention.remove(self._name, first, last, self._now)
            tally += Tally(removed.count, removed.size)
        tally += self._age_events(uow)[0]
        if is_last:
            boundary = self._plan.boundary
            if boundary is not None:
                attempts = uow.retention.remove_attempts(self._name, before=boundary[1])
                tally += Tally(attempts=attempts)
            self._tell(uow, self._total + tally)
        return tally, seen

    def _cut_newcomers(self, uow: UnitOfWork) -> tuple[Tally, int]:
        """Let what was written meanwhile, after a parent that goes, stand for itself."""
        tally, seen = Tally(), self._seen
        for newcomer in uow.retention.aged(self._name, after=seen):
            seen = newcomer.sequence
            if newcomer.parent in self._plan.going:
                changed = uow.retention.consolidate(self._name, newcomer.sequence)
                tally += Tally(consolidated=int(changed))
        return tally, seen

    def _age_events(self, uow: UnitOfWork) -> tuple[Tally, int]:
        if self._plan.boundary is None:
            return Tally(), self._seen
        below = self._plan.boundary[0]
        count = uow.retention.remove_events(self._name, below=below, most=MOST_ROWS)
        return Tally(events=count), self._seen

    def _tell(self, uow: UnitOfWork, total: Tally) -> None:
        """Log what became of the workflow: one event of each kind a purge."""
        lease = uow.leases.get(self._name)
        epoch = lease.epoch if lease else 0
        ranges = self._plan.going.ranges
        if total.consolidated:
            cuts: list[JsonValue] = list(self._plan.cuts[:_SEQUENCES_TOLD])
            detail: dict[str, JsonValue] = {"checkpoints": total.consolidated, "sequences": cuts}
            uow.events.append(
                DomainEvent(
                    EventKind.CONSOLIDATED, self._name, self._now, epoch=epoch, detail=detail
                )
            )
        if total.checkpoints:
            detail = {
                "checkpoints": total.checkpoints,
                "bytes": total.bytes,
                "first": ranges[0][0],
                "last": ranges[-1][1],
            }
            uow.events.append(
                DomainEvent(EventKind.PURGED, self._name, self._now, epoch=epoch, detail=detail)
            )


def _prepare(uow: UnitOfWork, *, workflow_id: str, cut: int, near: int | None) -> Any:
    return uow.retention.prepare(workflow_id, cut, near=near)
