"""The part of an engine that looks, and changes nothing."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from ..domain.attempt import Attempt
from ..domain.checkpoint import Checkpoint
from ..domain.checkpoint_status import CheckpointStatus
from ..domain.checkpoint_type import CheckpointType
from ..domain.errors import InvalidRequest
from ..domain.events import DomainEvent
from ..domain.execution_context import ExecutionContext
from ..domain.json_value import JsonValue
from ..domain.ports import CheckpointFilter
from ..domain.staleness import DEFAULT_THRESHOLD
from ..domain.workflow_summary import WorkflowSummary
from .arguments import chosen, require_count
from .damaged_warning import warn_of_damage
from .engine_base import EngineBase
from .targets import (
    CheckpointRef,
    Target,
    WorkflowRef,
    checkpoint_of,
    scope_of,
    target_of,
    workflow_of,
)

# Of a context, what tells whose it is.
_WHICH = ("checkpoint_id", "workflow_id", "chain")

if TYPE_CHECKING:
    from ..application.queries.find_stale import StaleWorkflow
    from ..application.queries.outline_workflow import ScopeOutline
    from ..domain.difference import Difference


class Looking(EngineBase):
    """The part of an engine that looks, and changes nothing.

    What is damaged raises `Damaged` where it is asked for by name; lists leave it out, and each
    time warn of it with a `DamagedWarning`.
    """

    def get(self, id: CheckpointRef) -> Checkpoint:
        """Return a checkpoint; raises `NotFound`."""
        from ..application.queries.get_checkpoint import GetCheckpoint, get_checkpoint

        return self._kernel.dispatcher.ask(get_checkpoint, GetCheckpoint(checkpoint_of(id)))

    def latest(
        self, workflow: WorkflowRef | None = None, *, workflow_id: str | None = None
    ) -> Checkpoint:
        """Return the newest checkpoint of a workflow; raises `NotFound`.

        A stage or an agent may be named as well, as ``"wf/stage"``: the newest of its own.
        """
        from ..application.queries.get_checkpoint import LatestCheckpoint, latest_checkpoint

        query = LatestCheckpoint(scope_of(workflow, workflow_id))
        return self._kernel.dispatcher.ask(latest_checkpoint, query)

    def list(
        self,
        workflow: WorkflowRef | None = None,
        *,
        workflow_id: str | None = None,
        status: str | None = None,
        type: str | None = None,
        metadata: Mapping[str, JsonValue] | None = None,
        older_than_id: CheckpointRef | None = None,
        limit: int | None = 100,
    ) -> builtins.list[Checkpoint]:
        """Return checkpoints, the newest first; what they hold is loaded when asked for.

        Raises:
            NotFound: there is no such workflow.
        """
        from ..application.queries.list_checkpoints import ListCheckpoints, list_checkpoints

        require_count("limit", limit)
        either = workflow is not None or workflow_id is not None
        wanted = CheckpointFilter(
            workflow_of(workflow, workflow_id) if either else None,
            chosen(CheckpointStatus, "status", status) if status is not None else None,
            chosen(CheckpointType, "type", type) if type is not None else None,
            metadata,
            checkpoint_of(older_than_id) if older_than_id is not None else None,
        )
        return self._kernel.dispatcher.ask(
            list_checkpoints, ListCheckpoints(wanted, limit, warn_of_damage)
        )

    def workflows(
        self, *, status: str | None = None, limit: int | None = 100
    ) -> builtins.list[WorkflowSummary]:
        """Return one summary a workflow, the one written to last first."""
        from ..application.queries.list_workflows import ListWorkflows, list_workflows

        require_count("limit", limit)
        wanted = chosen(CheckpointStatus, "status", status) if status is not None else None
        return self._kernel.dispatcher.ask(
            list_workflows, ListWorkflows(wanted, limit, warn_of_damage)
        )

    def context(
        self, id_or_workflow: Target | None = None, *, workflow_id: str | None = None
    ) -> ExecutionContext:
        """Return what the chain adds up to at a checkpoint, or at the head of a workflow."""
        from ..application.queries.rebuild_context import RebuildContext, rebuild_context

        query = RebuildContext(target_of(id_or_workflow, workflow_id))
        replay = self._kernel.dispatcher.ask(rebuild_context, query)
        return self._kernel.context(replay)

    def diff(self, old: CheckpointRef, new: CheckpointRef) -> builtins.list[Difference]:
        """Return what differs between two checkpoints: their states, and their contexts, by path.

        Paths begin with ``state`` or ``context``. Which checkpoints they are is no difference.
        """
        from ..domain.difference import differences

        found: builtins.list[Difference] = []
        one, other = self.get(old), self.get(new)
        found += differences(one.state, other.state, "state")
        contexts = [self.context(each.id).to_dict() for each in (one, other)]
        for each in contexts:
            for key in _WHICH:
                each.pop(key, None)
        found += differences(contexts[0], contexts[1], "context")
        return found

    def outline(
        self, workflow: WorkflowRef | None = None, *, workflow_id: str | None = None
    ) -> ScopeOutline:
        """Return a workflow with its stages and agents, their states and times."""
        from ..application.queries.outline_workflow import OutlineWorkflow, outline_workflow

        query = OutlineWorkflow(workflow_of(workflow, workflow_id))
        return self._kernel.dispatcher.ask(outline_workflow, query)

    def stale(self, threshold: timedelta = DEFAULT_THRESHOLD) -> builtins.list[StaleWorkflow]:
        """Return the workflows in flight that nobody is carrying on, the longest silent first.

        Args:
            threshold: how long one that never had a lease may be silent.
        """
        from ..application.queries.find_stale import FindStale, find_stale

        if threshold < timedelta():
            raise InvalidRequest(f"threshold is {threshold}; give no time or more")
        return self._kernel.dispatcher.ask(
            find_stale, FindStale(self._kernel.registry, threshold, warn_of_damage)
        )

    def attempts(
        self, workflow: WorkflowRef | None = None, *, workflow_id: str | None = None
    ) -> builtins.list[Attempt]:
        """Return what was tried, the oldest attempt first; raises `NotFound`."""
        from ..application.queries.list_attempts import ListAttempts, list_attempts

        query = ListAttempts(workflow_of(workflow, workflow_id))
        return self._kernel.dispatcher.ask(list_attempts, query)

    def events(
        self,
        *,
        after: int = 0,
        workflow: WorkflowRef | None = None,
        workflow_id: str | None = None,
        limit: int = 1000,
    ) -> builtins.list[DomainEvent]:
        """Return the events numbered above *after*, the oldest first.

        Raises:
            NotFound: there is no such workflow.
        """
        from ..application.queries.read_events import ReadEvents, read_events

        require_count("after", after)
        require_count("limit", limit)
        either = workflow is not None or workflow_id is not None
        name = workflow_of(workflow, workflow_id) if either else None
        return self._kernel.dispatcher.ask(
            read_events, ReadEvents(after, name, limit, warn_of_damage)
        )
