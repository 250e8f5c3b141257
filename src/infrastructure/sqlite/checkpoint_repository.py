"""Checkpoints in SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.errors import CheckpointCorrupted, NotFound
from ...domain.payload import JsonText, Payload
from ...domain.ports import CheckpointFilter, OnDamage
from ...domain.replay import Replay
from ...domain.scope import Scope
from ...domain.workflow_summary import WorkflowStanding, WorkflowSummary
from ..contents import StoredContents
from ..handler_named_later import with_present_handler
from ..passing_over import passing_over
from . import statements as sql
from .appender import Appender
from .body import unpack
from .chains import Chains
from .cut_chain import append_cut
from .keyframes import Keyframes
from .logs import SqliteLeaseStore
from .purge_memory import PurgeMemory
from .rows import (
    CheckpointRow,
    changed_row,
    id_of,
    intact_row,
    to_checkpoint,
)
from .transaction import Transaction, WorkflowRow


class SqliteCheckpointRepository:
    """Keeps checkpoints; every row that is read is held against its seal."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction
        self._execute = transaction.connection.execute
        self._codec = transaction.store.codec
        keyframes = Keyframes(transaction)
        self._chains = Chains(transaction, keyframes)
        self._appender = Appender(transaction, self._chains, keyframes)

    def add(self, checkpoint: Checkpoint, payload: Payload) -> None:
        """Keep a new checkpoint with *payload*."""
        workflow = self._tx.ensure_workflow(checkpoint.id.workflow_id)
        head = self._tx.head(workflow)
        self._tx.set_head(workflow, self._appender.append(checkpoint, payload, workflow))
        branches = head is not None and checkpoint.parent_id != head.id
        self._follow(checkpoint, workflow, branches=branches)

    def add_cut(self, checkpoint: Checkpoint, payload: Payload, replay: Replay) -> None:
        """Keep a new checkpoint whose parent is not kept any more; see `Transfer`."""
        workflow = self._tx.ensure_workflow(checkpoint.id.workflow_id)
        head = self._tx.head(workflow)
        added = append_cut(self._tx, checkpoint, payload, replay, workflow)
        self._tx.set_head(workflow, added)
        # As far as can be told: where the parent came after all that is kept, it was the head.
        parent = checkpoint.parent_id
        branches = head is not None and (parent is None or parent.sequence < head.id.sequence)
        self._follow(checkpoint, workflow, branches=branches)

    def _follow(self, checkpoint: Checkpoint, workflow: WorkflowRow, *, branches: bool) -> None:
        """Keep what a workflow's row says, after a checkpoint was added."""
        if branches and not workflow.branched:
            workflow.branched = 1
            self._tx.save_workflow(workflow)
        if checkpoint.type is CheckpointType.WORKFLOW_START:
            workflow.opening = checkpoint.id.sequence
            self._copy_opening(checkpoint, workflow)
        checkpoint.attach(self._contents(checkpoint.id))

    def update(self, checkpoint: Checkpoint) -> None:
        """Keep the present status, retries, error and times of one that is there."""
        workflow = self._workflow_of(checkpoint.id)
        before = self._row(checkpoint.id)
        row = changed_row(before, checkpoint)
        if row.resume_handler != before.resume_handler:
            # Of what can change, the only thing that the chain adds up.
            self._tx.memory.tails.forget(workflow.id)
        self._execute(
            sql.UPDATE_CHECKPOINT,
            (
                row.status,
                row.updated_at,
                row.taken_over,
                row.resume_handler,
                row.retry_count,
                row.due_at,
                row.reason,
                row.error,
                row.seal,
                row.number,
            ),
        )
        if workflow.opening == checkpoint.id.sequence:
            self._copy_opening(checkpoint, workflow)

    def forget_opening(self, workflow_id: str) -> None:
        """Note that the workflow's opening is not in its chain any more."""
        workflow = self._tx.ensure_workflow(workflow_id)
        workflow.opening = workflow.status = workflow.handler = None
        self._tx.save_workflow(workflow)

    def get(self, checkpoint_id: CheckpointId) -> Checkpoint:
        """Return a checkpoint."""
        return self._checkpoint(self._row(checkpoint_id), checkpoint_id.workflow_id)

    def payload(self, checkpoint_id: CheckpointId) -> Payload:
        """Return what the checkpoint itself stores."""
        row = self._row(checkpoint_id)
        (body,) = self._execute(sql.SELECT_BODY, (row.number,)).fetchone()
        members = unpack(body, row.body_digest, checkpoint_id)
        state = members.get("state")
        if "difference" in members:
            workflow = self._workflow_of(checkpoint_id)
            rebuild = self._chains.rebuild(workflow, checkpoint_id.sequence, checkpoint_id)
            state = bytes(rebuild.whole[checkpoint_id.scope])
        return Payload(
            state=_text(state),
            patch=_text(members.get("patch")),
            input=_text(members.get("input")),
            output=_text(members.get("output")),
        )

    def standing(self, workflow_id: str) -> WorkflowStanding | None:
        """Return where the workflow stands."""
        workflow = self._tx.workflow(workflow_id)
        head = self._tx.head(workflow) if workflow else None
        if workflow is None or head is None:
            return None
        return WorkflowStanding(
            head=head.id,
            opening=CheckpointId(workflow_id, None, None, workflow.opening)
            if workflow.opening
            else None,
            status=CheckpointStatus(workflow.status) if workflow.status else None,
            handler=workflow.handler,
        )

    def unfinished(self, workflow_id: str) -> list[Checkpoint]:
        """Return the opening checkpoints whose scopes are not done."""
        workflow = self._tx.workflow(workflow_id)
        if workflow is None:
            return []
        subject = f"an open scope of {Scope(workflow_id)}"
        rows = list(self._tx.each(sql.SELECT_UNFINISHED, (workflow.id,), subject))
        return [self._checkpoint(intact_row(row, workflow_id), workflow_id) for row in rows]

    def scope_last(self, scope: Scope, head: CheckpointId) -> Checkpoint | None:
        """Return the newest checkpoint that opened or closed *scope*, in the chain of *head*."""
        workflow = self._tx.workflow(scope.workflow_id)
        if workflow is None:
            return None
        newest = self._tx.head(workflow)
        whole = not workflow.branched and newest is not None and newest.id == head
        key = (workflow.id, scope.stage_id, scope.agent_id)
        for found in self._tx.each(sql.SELECT_SCOPE_HISTORY, key, scope):
            row = intact_row(found, scope.workflow_id)
            if whole or self._is_in_chain(workflow, row, head):
                return self._checkpoint(row, scope.workflow_id)
        return None

    def replay(self, checkpoint_id: CheckpointId) -> Replay:
        """Return what the chain adds up to at a checkpoint."""
        replay = self._chains.replay(self._workflow_of(checkpoint_id), checkpoint_id)
        _require_same(replay.head, checkpoint_id)
        return with_present_handler(replay, self.get)

    def newest_intact(self, checkpoint_id: CheckpointId) -> CheckpointId | None:
        """Return the newest of a checkpoint and its ancestors that `replay` can rebuild."""
        with suppress(CheckpointCorrupted):
            self._row(checkpoint_id)
        return self._chains.newest_intact(self._workflow_of(checkpoint_id), checkpoint_id)

    def chain(self, checkpoint_id: CheckpointId) -> tuple[CheckpointId, ...]:
        """Return the ids from a checkpoint back to its oldest ancestor that is kept."""
        self._row(checkpoint_id)
        return self._chains.ids(self._workflow_of(checkpoint_id), checkpoint_id)

    def progressed_since(self, workflow_id: str, sequence: int) -> bool:
        """Whether something after *sequence* was achieved that never was before it."""
        workflow = self._tx.workflow(workflow_id)
        if workflow is None:
            return False
        key = {"workflow": workflow.id, "sequence": sequence}
        return self._execute(sql.PROGRESSED_SINCE, key).fetchone() is not None

    def find(
        self, wanted: CheckpointFilter, *, on_damage: OnDamage | None = None
    ) -> Iterator[Checkpoint]:
        """Iterate over the checkpoints that match, the newest first."""
        key: dict[str, Any] = {}
        if wanted.workflow_id is not None:
            workflow = self._tx.workflow(wanted.workflow_id)
            if workflow is None:
                return
            key["workflow"] = workflow.id
        if wanted.status is not None:
            key["status"] = wanted.status.value
        if wanted.type is not None:
            key["type"] = wanted.type.value
        if wanted.older_than is not None:
            key["older"] = self._row(wanted.older_than).number
        text = sql.select_matching(
            workflow="workflow" in key,
            status="status" in key,
            type_="type" in key,
            older="older" in key,
        )
        for found in self._tx.listed(text, key, "a checkpoint", on_damage):
            row = CheckpointRow._make(found)
            checkpoint: Checkpoint | None = None
            with passing_over(on_damage, f"checkpoint number {row.number}"):
                name = wanted.workflow_id or self._tx.name_of(row.workflow)
                checkpoint = self._checkpoint(intact_row(found, name), name)
            if checkpoint is not None and wanted.matches(checkpoint):
                yield checkpoint

    def summaries(
        self, *, status: CheckpointStatus | None = None, on_damage: OnDamage | None = None
    ) -> Iterator[WorkflowSummary]:
        """Iterate over all workflows, the one written to last first."""
        subject = "the name of a workflow"
        for (workflow_id,) in self._tx.listed(sql.WORKFLOWS_BY_HEAD, (), subject, on_damage):
            summary: WorkflowSummary | None = None
            with passing_over(on_damage, f"the record of workflow {workflow_id}"):
                workflow = self._listed_workflow(workflow_id)
                if status is None or workflow.status == status.value:
                    summary = self._summary(workflow)
            if summary is not None:
                yield summary

    def unfinished_workflows(self, *, on_damage: OnDamage | None = None) -> Iterator[Checkpoint]:
        """Iterate over the openings of workflows that have not reached their end."""
        subject = "the name of a workflow"
        for (workflow_id,) in self._tx.listed(sql.WORKFLOWS_UNFINISHED, (), subject, on_damage):
            opening: Checkpoint | None = None
            with passing_over(on_damage, f"the record of workflow {workflow_id}"):
                workflow = self._listed_workflow(workflow_id)
                if workflow.opening is not None:
                    opening = self.get(CheckpointId(workflow_id, None, None, workflow.opening))
            if opening is not None:
                yield opening

    def workflow_ids(self, limit: int) -> list[str]:
        """Return the ids of at most *limit* workflows."""
        rows = self._tx.each(sql.WORKFLOW_NAMES, (limit,), "the name of a workflow")
        return [name for (name,) in rows]

    def _listed_workflow(self, workflow_id: str) -> WorkflowRow:
        workflow = self._tx.workflow(workflow_id)
        if workflow is None:
            # Its index says another name than its row.
            subject = f"the record of workflow {workflow_id}"
            raise CheckpointCorrupted(subject, "it is not found by its name")
        return workflow

    def _row(self, checkpoint_id: CheckpointId) -> CheckpointRow:
        workflow = self._workflow_of(checkpoint_id)
        key = (workflow.id, checkpoint_id.sequence)
        found = self._tx.one(sql.SELECT_CHECKPOINT, key, checkpoint_id)
        if found is None:
            what = f"checkpoint {checkpoint_id}"
            raise PurgeMemory(self._tx).missing(what, workflow, checkpoint_id.sequence)
        row = intact_row(found, checkpoint_id.workflow_id, checkpoint_id)
        _require_same(id_of(row, checkpoint_id.workflow_id), checkpoint_id)
        return row

    def _workflow_of(self, checkpoint_id: CheckpointId) -> WorkflowRow:
        return self._tx.ensure_known(checkpoint_id)

    def _checkpoint(self, row: CheckpointRow, workflow_id: str) -> Checkpoint:
        checkpoint = to_checkpoint(row, workflow_id)
        return checkpoint.attach(self._contents(checkpoint.id))

    def _contents(self, checkpoint_id: CheckpointId) -> StoredContents:
        return StoredContents(self._tx.store, self._codec, checkpoint_id)

    def _copy_opening(self, opening: Checkpoint, workflow: WorkflowRow) -> None:
        """Keep what a workflow's row repeats of its newest opening."""
        copied = (opening.status.value, opening.resume_handler)
        if opening.type is CheckpointType.WORKFLOW_START:
            workflow.status, workflow.handler = copied
            self._tx.save_workflow(workflow)

    def _is_in_chain(self, workflow: WorkflowRow, row: CheckpointRow, head: CheckpointId) -> bool:
        key = {
            "workflow": workflow.id,
            "sequence": head.sequence,
            "after": 0,
            "wanted": row.sequence,
        }
        return self._execute(sql.IS_IN_CHAIN, key).fetchone() is not None

    def _summary(self, workflow: WorkflowRow) -> WorkflowSummary:
        name = workflow.workflow_id
        first_row = self._tx.one(sql.SELECT_FIRST, (workflow.id,), Scope(name))
        first = to_checkpoint(intact_row(first_row, name), name)
        (count,) = self._execute(sql.COUNT_CHECKPOINTS, (workflow.id,)).fetchone()
        head = self._tx.head(workflow)
        newest = self.get(head.id) if head else first
        opening = (
            self.get(CheckpointId(name, None, None, workflow.opening)) if workflow.opening else None
        )
        lease = SqliteLeaseStore(self._tx).get(name)
        return WorkflowSummary(
            workflow_id=name,
            name=opening.name if opening else None,
            status=opening.status if opening else None,
            handler=opening.resume_handler if opening else None,
            head=newest.id,
            checkpoints=count,
            retry_count=opening.retry_count if opening else 0,
            max_retries=opening.max_retries if opening else 0,
            epoch=lease.epoch if lease else 0,
            created_at=first.created_at,
            updated_at=max(newest.created_at, opening.updated_at if opening else first.created_at),
        )


def _text(member: bytes | None) -> JsonText | None:
    return JsonText(member) if member is not None else None


def _require_same(found: CheckpointId | None, wanted: CheckpointId) -> None:
    """Raise `NotFound` when the sequence is that of a checkpoint of another scope."""
    if found != wanted:
        raise NotFound(f"checkpoint {wanted}", [str(found)])
