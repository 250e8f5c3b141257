"""Looks at the ages of checkpoints in files, and removes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice, pairwise
from typing import Any

from ...domain.errors import NotFound, Purged
from ...domain.gone import Gone
from ...domain.ports import Removed
from ...domain.retention import AgedCheckpoint, OwnRetention
from ...domain.scope import Scope
from . import layout
from .chains import Chains
from .checkpoint_file import Chained, StoredCheckpoint, find_path, read_file
from .contexts import scopes_of
from .logs import JsonAttemptLog
from .pointer import Pointer, pointer_of
from .purge_memory import memory_of
from .traces import EVENTS, attempt_paths, event_paths
from .unfinished import note_unfinished, workflow_ids_after
from .view import View


class JsonRetentionStore:
    """Looks at the ages of checkpoints, and removes them."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._chains = Chains(view)

    def workflow_ids(self, *, after: str, limit: int) -> list[str]:
        """Return the ids above *after* of workflows that have checkpoints."""
        return list(islice(workflow_ids_after(self._view, after), limit))

    def policy(self, workflow_id: str) -> OwnRetention:
        """Return what the workflow says of its own retention."""
        return memory_of(self._view, workflow_id).policy

    def set_policy(self, workflow_id: str, policy: OwnRetention) -> None:
        """Keep what the workflow says from now on."""
        memory = memory_of(self._view, workflow_id)
        if memory.policy != policy:
            memory.policy = policy
            memory.save(self._view)

    def count(self, workflow_id: str) -> int:
        """Return how many checkpoints the workflow has."""
        pointer = pointer_of(self._view, workflow_id)
        return pointer.checkpoints if pointer is not None else 0

    def aged(self, workflow_id: str, *, after: int = 0) -> Iterator[AgedCheckpoint]:
        """Iterate over the checkpoints above a sequence, the oldest first."""
        pointer = pointer_of(self._view, workflow_id)
        if pointer is None:
            return
        for named in self._view.checkpoint_files(workflow_id, above=after):
            stored = read_file(self._view, named)
            checkpoint = stored.checkpoint
            unfinished = checkpoint.type.opens and not checkpoint.status.is_final
            yield AgedCheckpoint(
                stored.number,
                named.sequence,
                checkpoint.parent_id.sequence if checkpoint.parent_id else None,
                checkpoint.created_at,
                self._view.size(named.path),
                checkpoint.status if unfinished else None,
                checkpoint.id == pointer.opening,
            )

    def number_of_newest(self, size: int, workflow_id: str | None = None) -> int:
        """Return the lowest number such that the checkpoints from it on hold that much."""
        total = 0
        for number, each in self._newest_sizes(workflow_id):
            total += each
            if total > size:
                return number + 1
        return 0

    def newest_number(self) -> int:
        """Return the highest number that was given out."""
        return self._view.next_number - 1

    def prepare(self, workflow_id: str, sequence: int, *, near: int | None = None) -> Any:
        """Return what `consolidate` needs; ``None`` when the checkpoint stands for itself."""
        del near  # each base stands for itself
        stored = self._stored(workflow_id, sequence)
        if stored.checkpoint.parent_id is None or stored.base is not None:
            return None
        return scopes_of(self._chains.replay(stored.checkpoint.id))

    def consolidate(self, workflow_id: str, sequence: int, prepared: Any = None) -> bool:
        """Make a checkpoint stand for itself; return whether it did not before."""
        stored = self._stored(workflow_id, sequence)
        if stored.checkpoint.parent_id is None or stored.base is not None:
            return False
        if not isinstance(prepared, list):
            prepared = self.prepare(workflow_id, sequence)
        stored.base = prepared
        stored.save(self._view)
        return True

    def remove(self, workflow_id: str, first: int, last: int, at: datetime) -> Removed:
        """Remove the checkpoints with these sequences, and remember that they went."""
        view = self._view
        pointer = pointer_of(view, workflow_id)
        files = view.checkpoint_files(workflow_id, above=first - 1, up_to=last)
        gone = list(files)
        if pointer is None or not gone:
            return Removed()
        size = 0
        for named in gone:
            size += view.size(named.path)
            view.remove(named.path)
            view.remove(layout.context(workflow_id, named.sequence))
        memory = memory_of(view, workflow_id)
        memory.remember(Gone(gone[0].sequence, gone[-1].sequence, at))
        memory.save(view)
        self._let_go(pointer, {named.sequence for named in gone})
        return Removed(len(gone), size)

    def remove_events(self, workflow_id: str, *, below: int, most: int) -> int:
        """Remove the workflow's oldest events with lower numbers."""
        removed = 0
        for path in event_paths(self._view, layout.events(workflow_id)):
            content = self._view.read(path, EVENTS, path) or {}
            logged = content.get("events", [])
            old = [each for each in logged if each["number"] < below][: most - removed]
            if not old:
                break
            removed += len(old)
            content["events"] = logged[len(old) :]
            if content["events"]:
                self._view.write(path, EVENTS, content)
            else:
                self._view.remove(path)
        return removed

    def remove_attempts(self, workflow_id: str, *, before: int) -> int:
        """Remove the attempts that had ended before a sequence was written."""
        attempts = JsonAttemptLog(self._view).all(workflow_id)
        gone = [one for one, following in pairwise(attempts) if following.begun_after < before]
        for each in gone:
            self._view.remove(layout.attempt(workflow_id, each.number))
        return len(gone)

    def remove_all_attempts(self, workflow_id: str) -> int:
        """Remove every attempt of the workflow."""
        paths = attempt_paths(self._view, workflow_id)
        for path in paths:
            self._view.remove(path)
        return len(paths)

    def purged_at(self, workflow_id: str, sequence: int | None = None) -> datetime | None:
        """Return when a checkpoint went, or the last time one of the workflow did."""
        return memory_of(self._view, workflow_id).at(sequence)

    def _let_go(self, pointer: Pointer, gone: set[int]) -> None:
        """Let the pointer know of those that are left alone."""
        pointer.checkpoints -= len(gone)
        pointer.floor = max(pointer.floor, *gone)
        pointer.unfinished = [each for each in pointer.unfinished if each.sequence not in gone]
        if pointer.opening is not None and pointer.opening.sequence in gone:
            pointer.open_with(None, None)
        if pointer.head is not None and pointer.head.sequence in gone:
            self._find_head(pointer)
        pointer.save(self._view)
        note_unfinished(self._view, pointer)

    def _find_head(self, pointer: Pointer) -> None:
        files = self._view.checkpoint_files(pointer.workflow_id, newest_first=True)
        newest = next(files, None)
        if newest is None:
            pointer.head, pointer.head_type, pointer.chained = None, None, Chained()
            return
        stored = read_file(self._view, newest)
        pointer.head, pointer.head_type = stored.checkpoint.id, stored.checkpoint.type
        pointer.chained = stored.chained

    def _stored(self, workflow_id: str, sequence: int) -> StoredCheckpoint:
        for named in self._view.chunk_files(workflow_id, layout.chunk(sequence)):
            if named.sequence == sequence:
                return read_file(self._view, named)
        what = f"checkpoint {sequence} of {Scope(workflow_id)}"
        at = self.purged_at(workflow_id, sequence)
        raise Purged(what, at) if at is not None else NotFound(what)

    def _newest_sizes(self, workflow_id: str | None) -> Iterator[tuple[int, int]]:
        """Iterate over numbers and sizes of a workflow's checkpoints, or of all, newest first."""
        view = self._view
        if workflow_id is not None:
            for named in view.checkpoint_files(workflow_id, newest_first=True):
                yield read_file(view, named).number, view.size(named.path)
            return
        for entry in view.newest_entries():
            path = find_path(view, entry.checkpoint_id) if entry.kind == "created" else None
            if path is not None:
                yield entry.number, view.size(path)
