"""Delete a workflow whole, in slices."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from ...domain.errors import IllegalTransition
from ...domain.events import DomainEvent, EventKind
from ...domain.json_value import JsonValue
from ...domain.lease import Standing
from ...domain.ports import Store, UnitOfWork
from ...domain.retention import OwnRetention, RetentionPlan, Rule, plan_retention
from ...domain.scope import Scope
from ..admission import held, standing_of
from ..environment import Environment
from ..queries.get_checkpoint import require_workflow
from .removal import MOST_ROWS, Ranges, batches_of
from .reports import DeleteReport, PurgeProgress, Tally

DeleteSlices: TypeAlias = Generator[PurgeProgress, None, DeleteReport]

_CANCEL_FIRST = "cancel it first, or pass force=True"
_AGAIN = "somebody wrote to it while it was being deleted; delete it again, or keep what is left"


@dataclass(frozen=True, slots=True)
class DeleteWorkflow:
    """Delete a workflow with all that belongs to it.

    Attributes:
        force: also when it is unfinished, or somebody carries it on, who is fenced.
    """

    workflow_id: str
    force: bool = False


def delete_slices(order: DeleteWorkflow, *, store: Store, env: Environment) -> DeleteSlices:
    """Handle `DeleteWorkflow`, a slice a step; return what it took at the end.

    Its name stays known: sequences and epochs go on from where they were, and asking for one of its
    checkpoints says when it went. Stopped between two slices it is a shorter workflow, whole as far
    as it goes.

    Raises:
        NotFound: there is no such workflow.
        IllegalTransition: it is unfinished, or somebody wrote to it meanwhile.
        LeaseHeld: somebody carries it on.
    """
    store.read(lambda uow: require_workflow(order.workflow_id, uow))
    deletion = _Deletion(order, env)
    below, total, left = store.write(deletion.begin)
    if left:
        plan = store.read(deletion.plan)
        for batch in batches_of(plan.going, plan.size):
            total += store.write(partial(deletion.take, batch=batch, head=plan.head))
            yield PurgeProgress(order.workflow_id, total.checkpoints, left)
    while True:
        tally = store.write(partial(deletion.forget, below=below))
        total += tally
        yield PurgeProgress(order.workflow_id, total.checkpoints, left)
        if tally.events < MOST_ROWS:
            break
    while store.give_back():
        yield PurgeProgress(None, total.checkpoints, left)
    return DeleteReport(
        order.workflow_id, total.checkpoints, total.bytes, total.events, total.attempts
    )


class _Deletion:
    """One deletion on its way."""

    def __init__(self, order: DeleteWorkflow, env: Environment) -> None:
        self._order = order
        self._name = order.workflow_id
        self._env = env
        self._now = env.clock.moment().wall

    def begin(self, uow: UnitOfWork) -> tuple[int, Tally, int]:
        """Fence whoever carries it on, and say that it goes; of a short one remove everything.

        Returns below which number its events are to go, what went, and how many are left.
        """
        self._require_finished(uow)
        below = uow.retention.newest_number() + 1
        count = uow.retention.count(self._name)
        self._tell(uow, self._fence(uow), count)
        uow.checkpoints.forget_opening(self._name)
        uow.retention.set_policy(self._name, OwnRetention())
        if count > MOST_ROWS:
            return below, Tally(), count
        plan = self.plan(uow)
        ranges = list(plan.going.batches(MOST_ROWS))
        return below, self.take(uow, ranges, plan.head), 0

    def plan(self, uow: UnitOfWork) -> RetentionPlan:
        """Return a plan by which everything goes."""
        total = uow.retention.count(self._name)
        aged = (
            each._replace(unfinished=None, opens_workflow=False)
            for each in uow.retention.aged(self._name)
        )
        # As if one more were to come, so that the newest is not kept for being that.
        return plan_retention(self._name, aged, total + 1, Rule())

    def take(self, uow: UnitOfWork, batch: Ranges, head: int) -> Tally:
        """Remove some checkpoints."""
        if any(True for _ in uow.retention.aged(self._name, after=head)):
            raise IllegalTransition(Scope(self._name), "written to again", "deleted", _AGAIN)
        tally = Tally()
        for first, last in batch:
            removed = uow.retention.remove(self._name, first, last, self._now)
            tally += Tally(removed.count, removed.size)
        return tally

    def forget(self, uow: UnitOfWork, below: int) -> Tally:
        """Remove some of its events, and its attempts."""
        return Tally(
            events=uow.retention.remove_events(self._name, below=below, most=MOST_ROWS),
            attempts=uow.retention.remove_all_attempts(self._name),
        )

    def _fence(self, uow: UnitOfWork) -> int:
        lease = uow.leases.get(self._name)
        if lease is None:
            return 0
        if lease.token is not None:
            lease = replace(lease.end(), epoch=lease.epoch + 1)
            uow.leases.put(lease)
        return lease.epoch

    def _tell(self, uow: UnitOfWork, epoch: int, count: int) -> None:
        # Numbered before anything goes: it keeps the store's count of numbers where it is.
        detail: dict[str, JsonValue] = {"deleted": True, "checkpoints": count}
        uow.events.append(
            DomainEvent(EventKind.PURGED, self._name, self._now, epoch=epoch, detail=detail)
        )

    def _require_finished(self, uow: UnitOfWork) -> None:
        if self._order.force:
            return
        lease = uow.leases.get(self._name)
        if lease is not None and standing_of(lease, self._env) is Standing.HELD:
            raise held(lease)
        for opening in uow.checkpoints.unfinished(self._name):
            raise IllegalTransition(opening.scope, opening.status, "deleted", _CANCEL_FIRST)
