"""Looks a store through by reading all of it: every read checks what it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..domain.errors import Damaged, NotFound
from ..domain.ports import CheckpointFilter, OnDamage, StoreStats, UnitOfWork
from ..domain.verification import Finding, VerifyReport

_PAGE = 1000


def verified_by_reading(uow: UnitOfWork, target: str) -> VerifyReport:
    """Return what is damaged, as far as reading it tells."""
    damaged: dict[str, Finding] = {}

    def note(damage: Damaged) -> None:
        subject = str(getattr(damage, "subject", damage))
        damaged.setdefault(subject, Finding("record", subject, str(damage)))

    checked = {"workflows": 0, "checkpoints": 0, "attempts": 0, "events": 0}
    for summary in uow.checkpoints.summaries(on_damage=note):
        checked["workflows"] += 1
        checked["attempts"] += _look_at_workflow(summary.workflow_id, uow, note)
    for checkpoint in uow.checkpoints.find(CheckpointFilter(), on_damage=note):
        checked["checkpoints"] += 1
        try:
            uow.checkpoints.payload(checkpoint.id)
        except (Damaged, NotFound) as error:
            damaged.setdefault(
                str(checkpoint.id), Finding("checkpoint", str(checkpoint.id), str(error))
            )
    checked["events"] = sum(_pages_of_events(uow, note))
    return VerifyReport(target, tuple(damaged.values()), checked)


def counted_by_reading(uow: UnitOfWork, target: str) -> StoreStats:
    """Return how much a store holds; its size is not told."""
    statuses: Counter[str] = Counter()
    checkpoints = attempts = 0
    for each in uow.checkpoints.summaries(on_damage=lambda _: None):
        statuses[each.status.value if each.status else "record"] += 1
        checkpoints += each.checkpoints
        attempts += len(uow.attempts.all(each.workflow_id))
    events = sum(_pages_of_events(uow, lambda _: None))
    return StoreStats(
        target, statuses.total(), checkpoints, events, attempts, dict(statuses), size=0, free=0
    )


def _look_at_workflow(workflow_id: str, uow: UnitOfWork, note: OnDamage) -> int:
    standing = uow.checkpoints.standing(workflow_id)
    try:
        uow.leases.get(workflow_id)
        attempts = len(uow.attempts.all(workflow_id))
        if standing is not None:
            uow.checkpoints.replay(standing.head)
    except Damaged as damage:
        note(damage)
        return 0
    return attempts


def _pages_of_events(uow: UnitOfWork, note: OnDamage) -> Iterator[int]:
    after = 0
    while True:
        page = uow.events.read(after=after, limit=_PAGE, on_damage=note)
        yield len(page)
        if len(page) < _PAGE:
            return
        after = page[-1].number
