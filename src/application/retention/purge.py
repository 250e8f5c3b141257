"""Purge a store: what its retention lets go, in slices."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeAlias

from ...domain.errors import Damaged, HoldfastError
from ...domain.ports import Store, UnitOfWork
from ...domain.retention import Limits, Reason, Retention, RetentionPlan, Rule, plan_retention
from ..environment import Environment
from ..queries.get_checkpoint import require_workflow
from .claim import Claim
from .removal import remove_slices
from .reports import PurgedWorkflow, PurgeProgress, PurgeReport

PurgeSlices: TypeAlias = Generator[PurgeProgress, None, PurgeReport]

_NAMES_A_READ = 256


@dataclass(frozen=True, slots=True)
class PurgeStore:
    """Purge a workflow, or all of them, of what may go.

    Attributes:
        workflow_id: the only one to purge.
        limits: what replaces the policies, where any is given.
        retention: the store's policy, for what a workflow leaves open.
        dry_run: only say what would go.
    """

    retention: Retention
    workflow_id: str | None = None
    limits: Limits = field(default_factory=Limits)
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _Candidate:
    workflow_id: str
    rule: Rule
    total: int
    damage: Damaged | None = None

    @property
    def may_lose_some(self) -> bool:
        """Whether its number alone does not keep all of it."""
        return self.rule.keep is None or self.total > self.rule.keep


def purge_slices(order: PurgeStore, *, store: Store, env: Environment) -> PurgeSlices:
    """Handle `PurgeStore`, a slice a step; return its report at the end.

    Each slice is one short transaction, and whatever is left after it is whole: the caller may
    pause between slices, and stop at any (``close()``).

    Raises:
        NotFound: there is no such workflow.
        PurgeUnderWay: somebody else purges the store.
    """
    if order.workflow_id is not None:
        name = order.workflow_id
        store.read(lambda uow: require_workflow(name, uow))
    if order.dry_run:
        return (yield from _Purge(order, store, env, None).run())
    claim = Claim.take(store, env)
    try:
        return (yield from _Purge(order, store, env, claim).run())
    finally:
        with suppress(HoldfastError):
            claim.give_up(store, env)


class _Purge:
    """One purge on its way."""

    def __init__(
        self, order: PurgeStore, store: Store, env: Environment, claim: Claim | None
    ) -> None:
        self._order = order
        self._store = store
        self._env = env
        self._claim = claim
        self._now = env.clock.moment().wall
        self._report = PurgeReport(order.dry_run)
        self._gone = 0
        self._planned = 0

    def run(self) -> PurgeSlices:
        """Perform it, a slice a step."""
        for candidate in self._candidates():
            self._report.looked_at += 1
            found = PurgedWorkflow(candidate.workflow_id)
            if candidate.damage is not None:
                _stay(found, candidate, candidate.damage)
                self._report.workflows.append(found)
            elif self._order.dry_run:
                self._explain(candidate, found)
                self._report.workflows.append(found)
                yield self._progress(candidate.workflow_id)
            elif candidate.may_lose_some:
                yield from self._purge_one(candidate, found)
                if found.checkpoints or found.damage:
                    self._report.workflows.append(found)
        if self._claim is not None:
            yield from self._give_back()
        return self._report

    def _give_back(self) -> Generator[PurgeProgress, None, None]:
        while self._store.give_back():
            yield self._progress(None)

    def _candidates(self) -> Iterator[_Candidate]:
        """Iterate over the workflows to look at, some hundred a read."""
        limits, now = self._order.limits, self._now
        only = self._order.workflow_id
        below = None
        if limits.max_bytes is not None:
            most = limits.max_bytes
            below = self._store.read(lambda uow: uow.retention.number_of_newest(most, only))
        after = ""
        while True:
            look = partial(_look_at, order=self._order, now=now, below=below, after=after)
            names, candidates = self._store.read(look)
            yield from candidates
            if only is not None or not names:
                return
            after = names[-1]

    def _explain(self, candidate: _Candidate, found: PurgedWorkflow) -> None:
        """Say what would go, and why the rest stays."""
        if not candidate.may_lose_some:
            found.kept = {Reason.RECENT: candidate.total}
            return
        plan = self._plan(candidate, found)
        if plan is None:
            return
        try:
            for cut in plan.cuts:
                self._store.read(partial(_rebuild, workflow_id=plan.workflow_id, cut=cut))
        except Damaged as damage:
            _stay(found, candidate, damage)
            return
        found.checkpoints, found.bytes = plan.checkpoints, plan.size
        found.consolidated = len(plan.cuts)

    def _purge_one(
        self, candidate: _Candidate, found: PurgedWorkflow
    ) -> Generator[PurgeProgress, None, None]:
        plan = self._plan(candidate, found)
        if plan is None or not plan.checkpoints or self._claim is None:
            return
        self._planned += plan.checkpoints
        slices = remove_slices(plan, self._now, claim=self._claim, store=self._store, env=self._env)
        try:
            for tally in slices:
                found.add(tally)
                self._gone += tally.checkpoints
                yield self._progress(plan.workflow_id)
        except Damaged as damage:
            _stay(found, candidate, damage)

    def _plan(self, candidate: _Candidate, found: PurgedWorkflow) -> RetentionPlan | None:
        try:
            plan = self._store.read(lambda uow: _plan(uow, candidate))
        except Damaged as damage:
            _stay(found, candidate, damage)
            return None
        found.kept = {str(reason): count for reason, count in plan.kept.items()}
        return plan

    def _progress(self, workflow_id: str | None) -> PurgeProgress:
        return PurgeProgress(workflow_id, self._gone, self._planned)


def _look_at(
    uow: UnitOfWork, *, order: PurgeStore, now: datetime, below: int | None, after: str
) -> tuple[list[str], list[_Candidate]]:
    """Return the next workflows, and what each is held against."""
    only = order.workflow_id
    names = (
        [only] if only is not None else uow.retention.workflow_ids(after=after, limit=_NAMES_A_READ)
    )
    return names, [_candidate(uow, order, now, below, name) for name in names]


def _candidate(
    uow: UnitOfWork, order: PurgeStore, now: datetime, below: int | None, name: str
) -> _Candidate:
    rule = order.limits.rule(now, below)
    try:
        if order.limits.are_none:
            rule = uow.retention.policy(name).over(order.retention).rule(now)
        return _Candidate(name, rule, uow.retention.count(name))
    except Damaged as damage:
        return _Candidate(name, rule, 0, damage)


def _plan(uow: UnitOfWork, candidate: _Candidate) -> RetentionPlan:
    # Counted again: it may have grown since.
    name = candidate.workflow_id
    total = uow.retention.count(name)
    return plan_retention(name, uow.retention.aged(name), total, candidate.rule)


def _stay(found: PurgedWorkflow, candidate: _Candidate, damage: Damaged) -> None:
    found.kept = {Reason.DAMAGED: candidate.total - found.checkpoints}
    found.damage = str(damage)


def _rebuild(uow: UnitOfWork, *, workflow_id: str, cut: int) -> None:
    uow.retention.prepare(workflow_id, cut)
