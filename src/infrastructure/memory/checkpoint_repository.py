"""Checkpoints in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...domain.checkpoint import CHANGEABLE, Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.errors import ChainBroken, NotFound, Purged
from ...domain.payload import Payload
from ...domain.ports import CheckpointFilter, OnDamage
from ...domain.progress import achievement
from ...domain.replay import Change, Replay
from ...domain.scope import Scope
from ...domain.workflow_summary import WorkflowStanding, WorkflowSummary
from ..contents import StoredContents
from ..handler_named_later import with_present_handler
from .logs import take_number
from .tables import StoredRow, Tables, UndoLog, purged_at

if TYPE_CHECKING:
    from .store import MemoryStore


class MemoryCheckpointRepository:
    """Keeps checkpoints as copies, so that nothing outside can change them."""

    def __init__(self, store: MemoryStore, tables: Tables, undo: UndoLog) -> None:
        self._store = store
        self._tables = tables
        self._undo = undo

    def add(self, checkpoint: Checkpoint, payload: Payload) -> None:
        """Keep a new checkpoint with *payload*."""
        workflow = checkpoint.id.workflow_id
        parent = checkpoint.parent_id
        if parent is not None and (parent.workflow_id != workflow or not self._has(parent)):
            what = f"parent checkpoint {parent} in {Scope(workflow)}"
            own = parent.workflow_id == workflow
            raise self._missing(what, parent) if own else NotFound(what)
        self._put(checkpoint, payload)

    def add_cut(self, checkpoint: Checkpoint, payload: Payload, replay: Replay) -> None:
        """Keep a new checkpoint whose parent is not kept any more; see `Transfer`."""
        self._put(checkpoint, payload)
        key = (checkpoint.id.workflow_id, checkpoint.id.sequence)
        self._undo.put(self._tables.bases, key, replay.copy())

    def _put(self, checkpoint: Checkpoint, payload: Payload) -> None:
        workflow = checkpoint.id.workflow_id
        if checkpoint.id.sequence in self._rows(workflow):
            raise ValueError(f"{checkpoint.id} is there already")
        if workflow not in self._tables.checkpoints:
            self._undo.put(self._tables.checkpoints, workflow, {})
        number = take_number(self._tables, self._undo)
        row = StoredRow(number, checkpoint.epoch, self._copy(checkpoint), payload)
        self._undo.put(self._tables.checkpoints[workflow], checkpoint.id.sequence, row)
        if checkpoint.type is CheckpointType.WORKFLOW_START:
            self._undo.put(self._tables.openings, workflow, checkpoint.id.sequence)
        checkpoint.attach(self._contents(checkpoint.id))

    def update(self, checkpoint: Checkpoint) -> None:
        """Keep the present status, retries, error and times of one that is there."""
        row = self._row(checkpoint.id)
        changed = self._copy(row.checkpoint)
        for name in CHANGEABLE:
            setattr(changed, name, getattr(checkpoint, name))
        new = StoredRow(row.number, row.epoch, changed, row.payload)
        self._undo.put(self._rows(checkpoint.id.workflow_id), checkpoint.id.sequence, new)

    def forget_opening(self, workflow_id: str) -> None:
        """Note that the workflow's opening is not in its chain any more."""
        self._undo.put(self._tables.openings, workflow_id, None)

    def get(self, checkpoint_id: CheckpointId) -> Checkpoint:
        """Return a checkpoint."""
        return self._copy(self._row(checkpoint_id).checkpoint)

    def payload(self, checkpoint_id: CheckpointId) -> Payload:
        """Return what the checkpoint itself stores."""
        return self._row(checkpoint_id).payload

    def standing(self, workflow_id: str) -> WorkflowStanding | None:
        """Return where the workflow stands."""
        rows = self._rows(workflow_id)
        if not rows:
            return None
        opening = self._opening(workflow_id)
        return WorkflowStanding(
            head=rows[max(rows)].checkpoint.id,
            opening=opening.id if opening else None,
            status=opening.status if opening else None,
            handler=opening.resume_handler if opening else None,
        )

    def unfinished(self, workflow_id: str) -> list[Checkpoint]:
        """Return the opening checkpoints whose scopes are not done."""
        return [
            self._copy(row.checkpoint)
            for _, row in sorted(self._rows(workflow_id).items())
            if row.checkpoint.type.opens and not row.checkpoint.status.is_final
        ]

    def scope_last(self, scope: Scope, head: CheckpointId) -> Checkpoint | None:
        """Return the newest checkpoint that opened or closed *scope*, in the chain of *head*."""
        rows = self._rows(scope.workflow_id)
        for each in self.chain(head):
            checkpoint = rows[each.sequence].checkpoint
            if checkpoint.scope == scope and (checkpoint.type.opens or checkpoint.type.closes):
                return self._copy(checkpoint)
        return None

    def replay(self, checkpoint_id: CheckpointId) -> Replay:
        """Return what the chain adds up to at a checkpoint."""
        replay = Replay()
        for each in reversed(self._whole_chain(checkpoint_id)):
            base = self._tables.bases.get((each.workflow_id, each.sequence))
            if base is not None:
                replay = base.copy()
            else:
                replay.apply(self._change(self._row(each)))
        return with_present_handler(replay, self.get)

    def newest_intact(self, checkpoint_id: CheckpointId) -> CheckpointId | None:
        """Return the checkpoint itself: memory is not damaged in ways that could be told."""
        try:
            self._whole_chain(checkpoint_id)
        except ChainBroken:
            return None
        return checkpoint_id

    def chain(self, checkpoint_id: CheckpointId) -> tuple[CheckpointId, ...]:
        """Return the ids from a checkpoint back to its oldest ancestor that is kept."""
        found = [self._row(checkpoint_id).checkpoint]
        rows = self._rows(checkpoint_id.workflow_id)
        while (parent := found[-1].parent_id) is not None and parent.sequence in rows:
            found.append(rows[parent.sequence].checkpoint)
        return tuple(each.id for each in found)

    def progressed_since(self, workflow_id: str, sequence: int) -> bool:
        """Whether something after *sequence* was achieved that never was before it."""
        rows = sorted(self._rows(workflow_id).items())
        before = {achievement(row.checkpoint) for number, row in rows if number <= sequence}
        after = {achievement(row.checkpoint) for number, row in rows if number > sequence}
        return bool(after - before - {None})

    def find(
        self,
        wanted: CheckpointFilter,
        *,
        on_damage: OnDamage | None = None,  # noqa: ARG002 - memory has none
    ) -> Iterator[Checkpoint]:
        """Iterate over the checkpoints that match, the newest first."""
        rows = [row for rows in self._tables.checkpoints.values() for row in rows.values()]
        limit = self._row(wanted.older_than).number if wanted.older_than else None
        for row in sorted(rows, key=lambda each: -each.number):
            if (limit is None or row.number < limit) and wanted.matches(row.checkpoint):
                yield self._copy(row.checkpoint)

    def summaries(
        self,
        *,
        status: CheckpointStatus | None = None,
        on_damage: OnDamage | None = None,  # noqa: ARG002 - memory has none
    ) -> Iterator[WorkflowSummary]:
        """Iterate over all workflows, the one written to last first."""
        heads = [rows[max(rows)] for rows in self._tables.checkpoints.values() if rows]
        for head in sorted(heads, key=lambda each: -each.number):
            summary = self._summary(head.checkpoint)
            if status is None or summary.status is status:
                yield summary

    def unfinished_workflows(
        self,
        *,
        on_damage: OnDamage | None = None,  # noqa: ARG002 - memory has none
    ) -> Iterator[Checkpoint]:
        """Iterate over the openings of workflows that have not reached their end."""
        for workflow_id in list(self._tables.checkpoints):
            opening = self._opening(workflow_id)
            if opening is not None and not opening.status.is_final:
                yield self._copy(opening)

    def workflow_ids(self, limit: int) -> list[str]:
        """Return the ids of at most *limit* workflows."""
        return [each for each, rows in self._tables.checkpoints.items() if rows][:limit]

    def _has(self, checkpoint_id: CheckpointId) -> bool:
        row = self._rows(checkpoint_id.workflow_id).get(checkpoint_id.sequence)
        return row is not None and row.checkpoint.id == checkpoint_id

    def _rows(self, workflow_id: str) -> dict[int, StoredRow]:
        return self._tables.checkpoints.get(workflow_id, {})

    def _row(self, checkpoint_id: CheckpointId) -> StoredRow:
        if not self._has(checkpoint_id):
            other = self._rows(checkpoint_id.workflow_id).get(checkpoint_id.sequence)
            if other is not None:
                raise NotFound(f"checkpoint {checkpoint_id}", [str(other.checkpoint.id)])
            raise self._missing(f"checkpoint {checkpoint_id}", checkpoint_id)
        return self._rows(checkpoint_id.workflow_id)[checkpoint_id.sequence]

    def _missing(self, what: str, checkpoint_id: CheckpointId) -> NotFound:
        at = purged_at(self._tables, checkpoint_id.workflow_id, checkpoint_id.sequence)
        return Purged(what, at) if at is not None else NotFound(what)

    def _opening(self, workflow_id: str) -> Checkpoint | None:
        sequence = self._tables.openings.get(workflow_id)
        return self._rows(workflow_id)[sequence].checkpoint if sequence else None

    def _whole_chain(self, checkpoint_id: CheckpointId) -> tuple[CheckpointId, ...]:
        chain = self.chain(checkpoint_id)
        oldest = chain[-1]
        missing = self._row(oldest).checkpoint.parent_id
        stands = (oldest.workflow_id, oldest.sequence) in self._tables.bases
        if missing is not None and not stands:
            raise ChainBroken(checkpoint_id, missing)
        return chain

    def _change(self, row: StoredRow) -> Change:
        decode = self._store.codec.decode
        payload = row.payload
        return Change(
            row.checkpoint,
            state=decode(payload.state) if payload.state is not None else None,
            patch=decode(payload.patch) if payload.patch is not None else None,
            input=decode(payload.input or b"null"),
            output=decode(payload.output or b"null"),
        )

    def _summary(self, head: Checkpoint) -> WorkflowSummary:
        workflow_id = head.id.workflow_id
        rows = self._rows(workflow_id)
        opening = self._opening(workflow_id)
        lease = self._tables.leases.get(workflow_id)
        first = rows[min(rows)].checkpoint
        return WorkflowSummary(
            workflow_id=workflow_id,
            name=opening.name if opening else None,
            status=opening.status if opening else None,
            handler=opening.resume_handler if opening else None,
            head=head.id,
            checkpoints=len(rows),
            retry_count=opening.retry_count if opening else 0,
            max_retries=opening.max_retries if opening else 0,
            epoch=lease.epoch if lease else 0,
            created_at=first.created_at,
            updated_at=max(head.created_at, opening.updated_at if opening else head.created_at),
        )

    def _copy(self, checkpoint: Checkpoint) -> Checkpoint:
        return checkpoint.copy().attach(self._contents(checkpoint.id))

    def _contents(self, checkpoint_id: CheckpointId) -> StoredContents:
        return StoredContents(self._store, self._store.codec, checkpoint_id)
