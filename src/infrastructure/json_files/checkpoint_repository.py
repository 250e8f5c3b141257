"""Checkpoints in files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.errors import CheckpointCorrupted, NotFound
from ...domain.payload import Payload
from ...domain.ports import CheckpointFilter, OnDamage
from ...domain.progress import Achievement, achievement
from ...domain.replay import Replay
from ...domain.scope import Scope
from ...domain.workflow_summary import WorkflowStanding, WorkflowSummary
from ..contents import StoredContents
from ..handler_named_later import with_present_handler
from ..passing_over import passing_over
from . import layout
from .appender import append
from .chains import Chains
from .checkpoint_file import StoredCheckpoint, find_path, read_checkpoint, read_file
from .logs import JsonLeaseStore
from .pointer import Pointer, pointer_of
from .unfinished import note_unfinished, unfinished_workflows, workflow_ids
from .view import View

if TYPE_CHECKING:
    from .store import JsonFileStore


class JsonCheckpointRepository:
    """Keeps checkpoints; every file that is read is held against its digest."""

    def __init__(self, store: JsonFileStore, view: View) -> None:
        self._store = store
        self._view = view
        self._chains = Chains(view)

    def add(self, checkpoint: Checkpoint, payload: Payload) -> None:
        """Keep a new checkpoint with *payload*."""
        append(self._view, self._chains, checkpoint, payload)
        checkpoint.attach(self._contents(checkpoint.id))

    def update(self, checkpoint: Checkpoint) -> None:
        """Keep the present status, retries, error and times of one that is there."""
        stored = read_checkpoint(self._view, checkpoint.id)
        stored.change_to(checkpoint)
        stored.save(self._view)
        if not stored.checkpoint.type.opens:
            return
        pointer = self._pointer(checkpoint.id.workflow_id)
        pointer.unfinished = [each for each in pointer.unfinished if each != checkpoint.id]
        if not checkpoint.status.is_final:
            pointer.unfinished.append(checkpoint.id)
            pointer.unfinished.sort(key=lambda each: each.sequence)
        pointer.epoch = max(pointer.epoch, checkpoint.epoch)
        if pointer.opening == checkpoint.id:
            pointer.open_with(checkpoint.id, stored)
        self._save(pointer)

    def forget_opening(self, workflow_id: str) -> None:
        """Note that the workflow's opening is not in its chain any more."""
        pointer = pointer_of(self._view, workflow_id)
        if pointer is not None:
            pointer.open_with(None, None)
            self._save(pointer)

    def get(self, checkpoint_id: CheckpointId) -> Checkpoint:
        """Return a checkpoint."""
        return self._attached(read_checkpoint(self._view, checkpoint_id))

    def payload(self, checkpoint_id: CheckpointId) -> Payload:
        """Return what the checkpoint itself stores."""
        return read_checkpoint(self._view, checkpoint_id).texts

    def standing(self, workflow_id: str) -> WorkflowStanding | None:
        """Return where the workflow stands."""
        pointer = pointer_of(self._view, workflow_id)
        if pointer is None or pointer.head is None:
            return None
        return WorkflowStanding(pointer.head, pointer.opening, pointer.status, pointer.handler)

    def unfinished(self, workflow_id: str) -> list[Checkpoint]:
        """Return the opening checkpoints whose scopes are not done."""
        pointer = pointer_of(self._view, workflow_id)
        return [self.get(each) for each in pointer.unfinished] if pointer else []

    def scope_last(self, scope: Scope, head: CheckpointId) -> Checkpoint | None:
        """Return the newest checkpoint that opened or closed *scope*, in the chain of *head*."""
        pointer = pointer_of(self._view, scope.workflow_id)
        if pointer is None:
            return None
        whole = not pointer.branched and pointer.head == head
        for named in self._openings_and_closings(scope):
            if whole or self._is_in_chain(named.sequence, head):
                return self._attached(read_file(self._view, named))
        return None

    def replay(self, checkpoint_id: CheckpointId) -> Replay:
        """Return what the chain adds up to at a checkpoint."""
        return with_present_handler(self._chains.replay(checkpoint_id), self.get)

    def newest_intact(self, checkpoint_id: CheckpointId) -> CheckpointId | None:
        """Return the newest of a checkpoint and its ancestors that `replay` can rebuild."""
        self._require(checkpoint_id)
        return self._chains.newest_intact(checkpoint_id)

    def chain(self, checkpoint_id: CheckpointId) -> tuple[CheckpointId, ...]:
        """Return the ids from a checkpoint back to its oldest ancestor that is kept."""
        return tuple(self._chains.ids(checkpoint_id))

    def progressed_since(self, workflow_id: str, sequence: int) -> bool:
        """Whether something after *sequence* was achieved that never was before it."""
        facts = [each for each in self._view.checkpoint_files(workflow_id) if _is_fact(each.type)]
        after = {self._achieved(each) for each in facts if each.sequence > sequence} - {None}
        if not after:
            return False
        types = {each.type for each in after if each is not None}
        before = (each for each in facts if each.sequence <= sequence and each.type in types)
        for named in before:
            after.discard(self._achieved(named))
            if not after:
                return False
        return True

    def find(
        self, wanted: CheckpointFilter, *, on_damage: OnDamage | None = None
    ) -> Iterator[Checkpoint]:
        """Iterate over the checkpoints that match, the newest first."""
        limit = wanted.older_than
        below = read_checkpoint(self._view, limit).number if limit is not None else None
        for stored in self._newest(wanted.workflow_id, on_damage):
            if (below is None or stored.number < below) and wanted.matches(stored.checkpoint):
                yield self._attached(stored)

    def summaries(
        self, *, status: CheckpointStatus | None = None, on_damage: OnDamage | None = None
    ) -> Iterator[WorkflowSummary]:
        """Iterate over all workflows, the one written to last first."""
        seen: set[str] = set()
        for entry in self._view.newest_entries():
            if entry.kind != "created" or entry.workflow_id in seen:
                continue
            seen.add(entry.workflow_id)
            summary: WorkflowSummary | None = None
            with passing_over(on_damage, f"workflow {entry.workflow_id}"):
                pointer = pointer_of(self._view, entry.workflow_id)
                if pointer is None or pointer.head is None:
                    continue
                if status is None or pointer.status is status:
                    summary = self._summary(pointer, pointer.head)
            if summary is not None:
                yield summary

    def unfinished_workflows(self, *, on_damage: OnDamage | None = None) -> Iterator[Checkpoint]:
        """Iterate over the openings of workflows that have not reached their end."""
        for workflow_id in unfinished_workflows(self._view):
            opening: Checkpoint | None = None
            with passing_over(on_damage, f"workflow {workflow_id}"):
                pointer = pointer_of(self._view, workflow_id)
                if pointer is not None and pointer.is_unfinished and pointer.opening is not None:
                    opening = self.get(pointer.opening)
            if opening is not None:
                yield opening

    def workflow_ids(self, limit: int) -> list[str]:
        """Return the ids of at most *limit* workflows."""
        return list(islice(workflow_ids(self._view), limit))

    def _newest(
        self, workflow_id: str | None, on_damage: OnDamage | None
    ) -> Iterator[StoredCheckpoint]:
        """Iterate over the checkpoints of a workflow, or of all, the newest first."""
        if workflow_id is not None:
            for named in self._view.checkpoint_files(workflow_id, newest_first=True):
                stored: StoredCheckpoint | None = None
                with passing_over(on_damage, f"a checkpoint of {workflow_id}"):
                    stored = read_file(self._view, named)
                if stored is not None:
                    yield stored
            return
        for entry in self._view.newest_entries():
            if entry.kind == "created":
                stored = None
                with passing_over(on_damage, entry.checkpoint_id), suppress(NotFound):
                    stored = read_checkpoint(self._view, entry.checkpoint_id)
                if stored is not None:  # else it was taken away since
                    yield stored

    def _openings_and_closings(self, scope: Scope) -> Iterator[layout.NamedFile]:
        folder = layout.workflow(scope.workflow_id)
        for chunk in self._view.chunks(folder, newest_first=True):
            for named in self._view.scope_files(layout.scope_folder(scope, chunk)):
                if named.type.opens or named.type.closes:
                    yield named

    def _is_in_chain(self, sequence: int, head: CheckpointId) -> bool:
        for each in self._chains.ids(head):
            if each.sequence <= sequence:
                return each.sequence == sequence
        return False

    def _achieved(self, named: layout.NamedFile) -> Achievement | None:
        try:
            return achievement(read_file(self._view, named).checkpoint)
        except CheckpointCorrupted:
            return None  # of what is damaged it cannot be told, and recovery is on its way past it

    def _summary(self, pointer: Pointer, head: CheckpointId) -> WorkflowSummary:
        name = pointer.workflow_id
        newest = self.get(head)
        oldest = next(self._view.checkpoint_files(name))
        first = read_file(self._view, oldest).checkpoint
        opening = self.get(pointer.opening) if pointer.opening else None
        lease = JsonLeaseStore(self._view).get(name)
        return WorkflowSummary(
            workflow_id=name,
            name=opening.name if opening else None,
            status=opening.status if opening else None,
            handler=opening.resume_handler if opening else None,
            head=head,
            checkpoints=pointer.checkpoints,
            retry_count=opening.retry_count if opening else 0,
            max_retries=opening.max_retries if opening else 0,
            epoch=lease.epoch if lease else 0,
            created_at=first.created_at,
            updated_at=max(newest.created_at, opening.updated_at if opening else first.created_at),
        )

    def _require(self, checkpoint_id: CheckpointId) -> None:
        """Raise `NotFound` when there is no such file, whatever is in it."""
        if find_path(self._view, checkpoint_id) is None:
            raise NotFound(f"checkpoint {checkpoint_id}")

    def _pointer(self, workflow_id: str) -> Pointer:
        return pointer_of(self._view, workflow_id) or Pointer(workflow_id)

    def _save(self, pointer: Pointer) -> None:
        pointer.save(self._view)
        note_unfinished(self._view, pointer)

    def _attached(self, stored: StoredCheckpoint) -> Checkpoint:
        return stored.checkpoint.attach(self._contents(stored.checkpoint.id))

    def _contents(self, checkpoint_id: CheckpointId) -> StoredContents:
        return StoredContents(self._store, self._store.codec, checkpoint_id)


def _is_fact(type_: CheckpointType) -> bool:
    return type_.closes or type_ in (CheckpointType.SYNC_BARRIER, CheckpointType.PROGRESS)
