"""Make a deep chain cheap to rebuild: its head comes to stand for itself."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.events import DomainEvent, EventKind
from ...domain.ports import Store, UnitOfWork
from ..environment import Environment
from ..queries.get_checkpoint import require_workflow
from .reports import ConsolidateReport


@dataclass(frozen=True, slots=True)
class ConsolidateWorkflow:
    """Make the head of a workflow stand for itself."""

    workflow_id: str


def consolidate_workflow(
    order: ConsolidateWorkflow, *, store: Store, env: Environment
) -> ConsolidateReport:
    """Handle `ConsolidateWorkflow`; contexts, ids and links stay what they are.

    Raises:
        NotFound: there is no such workflow.
        Damaged: its context cannot be rebuilt.
    """
    name = order.workflow_id
    head = store.read(lambda uow: require_workflow(name, uow).head)
    # Found before the write lock is taken, for it may be large.
    prepared = store.read(lambda uow: uow.retention.prepare(name, head.sequence))
    if prepared is None:
        return ConsolidateReport(head, changed=False)

    def work(uow: UnitOfWork) -> bool:
        changed = uow.retention.consolidate(name, head.sequence, prepared)
        if changed:
            lease = uow.leases.get(name)
            at = env.clock.moment().wall
            epoch = lease.epoch if lease else 0
            uow.events.append(DomainEvent(EventKind.CONSOLIDATED, name, at, head, epoch))
        return changed

    return ConsolidateReport(head, store.write(work))
