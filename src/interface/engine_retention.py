"""The part of an engine that lets old checkpoints go."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from ..domain.errors import InvalidRequest
from ..domain.wording import shorten
from .engine_base import EngineBase
from .targets import WorkflowRef, workflow_of

if TYPE_CHECKING:
    from ..application.retention.purge import PurgeSlices
    from ..application.retention.reports import (
        ConsolidateReport,
        DeleteReport,
        PurgeProgress,
        PurgeReport,
    )
    from .purge_schedule import PurgeSchedule

R = TypeVar("R")

# Between two slices: longer than the others of a queue for the write lock sleep before they look
# again, so that each of them has its turn.
_PAUSE = 0.003


class Retaining(EngineBase):
    """The part of an engine that lets old checkpoints go."""

    def purge(
        self,
        *,
        workflow: WorkflowRef | None = None,
        workflow_id: str | None = None,
        before: datetime | None = None,
        keep: int | None = None,
        max_age: timedelta | None = None,
        max_bytes: int | None = None,
        dry_run: bool = False,
        progress: Callable[[PurgeProgress], object] | None = None,
    ) -> PurgeReport:
        """Let checkpoints go that are too old and not among the newest of their workflow.

        Without limits the policy holds: 30 days or the newest 1000, whichever keeps more, unless
        `open` or the workflow was told otherwise. Limits replace it for this purge; several must
        agree. What is in flight, waiting, or failed and recoverable stays, and so does the newest
        of each workflow; every checkpoint that stays has the context that it had.

        It writes in short slices with pauses, so that others can write meanwhile, and can be
        interrupted at any moment: the next purge goes on. The space goes back to the file system.

        Args:
            workflow: only this one.
            before: what was created before may go; an aware time.
            keep: how many of the newest of each workflow stay.
            max_age: what is older may go.
            max_bytes: as many of the newest stay as hold so many bytes, of all workflows together.
            dry_run: only say what would go, and why the rest stays.
            progress: called after each slice, from this thread.

        Raises:
            NotFound: there is no such workflow.
            PurgeUnderWay: somebody else purges the store.

        >>> import holdfast
        >>> with holdfast.open("memory:") as engine:
        ...     for page in range(10):
        ...         saved = engine.checkpoint("crawl", state={"page": page})
        ...     report = engine.purge(keep=3)
        ...     print(report.checkpoints, engine.context("crawl").workflow_state)
        7 {'page': 9}
        """
        slices = self._purge_slices(
            workflow=workflow,
            workflow_id=workflow_id,
            before=before,
            keep=keep,
            max_age=max_age,
            max_bytes=max_bytes,
            dry_run=dry_run,
        )
        return _performed(slices, progress)

    def purge_every(
        self,
        interval: timedelta,
        *,
        on_report: Callable[[PurgeReport], object] | None = None,
    ) -> PurgeSchedule:
        """Purge by the policy in the background, now and then every so often, until stopped.

        For programs that embed an engine and run for long. It ends with the engine, or with
        `PurgeSchedule.stop`; a purge that somebody else has under way is not done twice.

        Args:
            interval: from the end of one purge to the beginning of the next.
            on_report: called after each purge, from the thread in the background.
        """
        from .purge_schedule import PurgeSchedule

        if not isinstance(interval, timedelta) or interval <= timedelta():
            raise InvalidRequest(
                f"interval is {shorten(interval)}; give a timedelta of more than no time, for "
                "example timedelta(hours=1)"
            )
        schedule = PurgeSchedule(
            self._purge_slices, interval, self._kernel.env.clock, _PAUSE, on_report
        )
        self._schedules.append(schedule)
        schedule.start()
        return schedule

    def consolidate(
        self, workflow: WorkflowRef | None = None, *, workflow_id: str | None = None
    ) -> ConsolidateReport:
        """Let the head of a workflow stand for itself, so that a deep chain is quick to rebuild.

        Contexts, ids and links stay what they are.

        Raises:
            NotFound: there is no such workflow.
            Damaged: its context cannot be rebuilt.
        """
        from ..application.retention.consolidate import ConsolidateWorkflow, consolidate_workflow

        order = ConsolidateWorkflow(workflow_of(workflow, workflow_id))
        return consolidate_workflow(order, store=self._kernel.store, env=self._kernel.env)

    def delete(
        self,
        workflow: WorkflowRef | None = None,
        *,
        workflow_id: str | None = None,
        force: bool = False,
        progress: Callable[[PurgeProgress], object] | None = None,
    ) -> DeleteReport:
        """Delete a finished workflow with its checkpoints, attempts and events; say what it took.

        The name may be used again: sequences and epochs go on from where they were.

        Args:
            force: also when it is unfinished, or somebody carries it on, who is fenced.
            progress: called after each slice, from this thread.

        Raises:
            NotFound: there is no such workflow.
            IllegalTransition: it is unfinished.
            LeaseHeld: somebody carries it on.
        """
        from ..application.retention.delete import DeleteWorkflow, delete_slices

        order = DeleteWorkflow(workflow_of(workflow, workflow_id), force)
        kernel = self._kernel
        return _performed(delete_slices(order, store=kernel.store, env=kernel.env), progress)

    def retain(
        self,
        workflow: WorkflowRef | None = None,
        *,
        workflow_id: str | None = None,
        days: float | None = None,
        count: int | None = None,
    ) -> None:
        """Say how long the checkpoints of one workflow are kept; ``None`` as the store's policy.

        Args:
            days: how long they are kept at least.
            count: how many of its newest are kept at least.

        Raises:
            NotFound: there is no such workflow.
        """
        from ..application.queries.get_checkpoint import require_workflow
        from ..domain.retention import OwnRetention

        name = workflow_of(workflow, workflow_id)
        own = OwnRetention(days, count)
        store = self._kernel.store
        store.read(lambda uow: require_workflow(name, uow))
        store.write(lambda uow: uow.retention.set_policy(name, own))

    def _purge_slices(
        self,
        *,
        workflow: WorkflowRef | None = None,
        workflow_id: str | None = None,
        before: datetime | None = None,
        keep: int | None = None,
        max_age: timedelta | None = None,
        max_bytes: int | None = None,
        dry_run: bool = False,
    ) -> PurgeSlices:
        """Return a purge that is performed a slice a step: for whoever has other things to do."""
        from ..application.retention.purge import PurgeStore, purge_slices
        from ..domain.retention import Limits

        either = workflow is not None or workflow_id is not None
        order = PurgeStore(
            self._kernel.retention,
            workflow_of(workflow, workflow_id) if either else None,
            Limits(before, keep, max_age, max_bytes),
            dry_run,
        )
        return purge_slices(order, store=self._kernel.store, env=self._kernel.env)


def _performed(
    slices: Generator[PurgeProgress, None, R],
    progress: Callable[[PurgeProgress], object] | None,
) -> R:
    """Perform all slices, with a pause after each; what is interrupted ends where it is."""
    try:
        while True:
            told = next(slices)
            if progress is not None:
                progress(told)
            time.sleep(_PAUSE)
    except StopIteration as end:
        result: R = end.value
        return result
    finally:
        slices.close()
