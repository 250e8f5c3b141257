"""Reads chains; every file on the way is held against its digest and its parent's link."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import ChainBroken, CheckpointCorrupted, Damaged, InvalidId, NotFound
from ...domain.replay import Change, Replay
from .checkpoint_file import StoredCheckpoint, read_checkpoint, read_file
from .contexts import keep_context, load_context, replay_of
from .pointer import pointer_of
from .view import View


class Chains:
    """Reads the chains that one unit of work sees."""

    def __init__(self, view: View) -> None:
        self._view = view
        # What is being read, where the damage is, should there be some; and what is before that.
        self._at: CheckpointId | None = None
        self._before_it: CheckpointId | None = None

    def replay(
        self, checkpoint_id: CheckpointId, *, without: Collection[int] = frozenset()
    ) -> Replay:
        """Return what the chain adds up to at a checkpoint.

        Starts from the nearest context that is kept and intact, or else from the root.

        Args:
            without: sequences at which no kept context is looked at.

        Raises:
            NotFound, ChainBroken, CheckpointCorrupted: what is needed is missing or damaged.
        """
        self._at, self._before_it = checkpoint_id, None
        rows = [read_checkpoint(self._view, checkpoint_id)]
        tried = set(without)
        while True:
            row = rows[-1]
            start = self._start(row, tried)
            if start is not None:
                if start.head == checkpoint_id:
                    return start
                return self._add_up(start, rows)
            parent = row.checkpoint.parent_id
            if parent is None:
                self._require_link(row, "")
                return self._add_up(Replay(), rows)
            self._at, self._before_it = parent, row.chained.before_that
            rows.append(self._ancestor(parent, checkpoint_id))
            self._at, self._before_it = row.checkpoint.id, parent
            self._require_link(row, rows[-1].chained.link)

    def newest_intact(self, checkpoint_id: CheckpointId) -> CheckpointId | None:
        """Return the newest of a checkpoint and its ancestors that `replay` can rebuild."""
        wanted: CheckpointId | None = checkpoint_id
        while wanted is not None:
            try:
                self.replay(wanted)
            except (Damaged, NotFound):
                # Also past one that is missing: its child knows what was before it.
                damaged = self._at or wanted
                wanted = self._before_it or self._before(damaged)
            else:
                return wanted
        return None

    def ids(self, checkpoint_id: CheckpointId) -> Iterator[CheckpointId]:
        """Iterate from a checkpoint back to its oldest ancestor that is kept."""
        row = read_checkpoint(self._view, checkpoint_id)
        yield row.checkpoint.id
        while row.checkpoint.parent_id is not None:
            try:
                row = read_checkpoint(self._view, row.checkpoint.parent_id)
            except NotFound:
                return
            yield row.checkpoint.id

    def _start(self, row: StoredCheckpoint, tried: set[int]) -> Replay | None:
        """Return the context kept at a row, or at its parent, which then is not read at all."""
        sequence = row.chained.context
        checkpoint = row.checkpoint
        if row.base is not None:
            return _base_of(row)
        parent = checkpoint.parent_id
        is_near = sequence == checkpoint.id.sequence or (parent and sequence == parent.sequence)
        if sequence is None or not is_near or sequence in tried:
            return None
        tried.add(sequence)
        kept = load_context(self._view, checkpoint.id.workflow_id, sequence)
        if kept is None:
            return None
        if sequence == checkpoint.id.sequence:
            return kept.replay if kept.link == row.chained.link else None
        return kept.replay if row.link_after(kept.link) == row.chained.link else None

    def _ancestor(self, wanted: CheckpointId, subject: CheckpointId) -> StoredCheckpoint:
        try:
            return read_checkpoint(self._view, wanted)
        except NotFound:
            raise ChainBroken(subject, wanted) from None

    def _require_link(self, row: StoredCheckpoint, parent_link: str) -> None:
        if row.link_after(parent_link) != row.chained.link:
            raise CheckpointCorrupted(
                row.checkpoint.id, "it is not tied to the parent that is stored: one of them is old"
            )

    def _add_up(self, replay: Replay, newest_first: list[StoredCheckpoint]) -> Replay:
        """Add rows to a context, and keep again what should have been kept on the way."""
        for row in reversed(newest_first):
            if replay.head is not None and replay.head == row.checkpoint.id:
                continue
            self._at, self._before_it = row.checkpoint.id, row.checkpoint.parent_id
            payload = row.payload
            try:
                replay.apply(
                    Change(
                        row.checkpoint,
                        state=payload.get("state"),
                        patch=payload.get("patch"),
                        input=payload.get("input"),
                        output=payload.get("output"),
                    )
                )
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise CheckpointCorrupted(
                    row.checkpoint.id, f"its payload is not what can have been written ({error})"
                ) from error
            if row.chained.context == row.checkpoint.id.sequence:
                keep_context(self._view, replay, row.chained.link)  # it was missing or damaged
        return replay

    def _before(self, damaged: CheckpointId) -> CheckpointId | None:
        """Return the checkpoint to go on with below a damaged one that no child speaks for.

        What a damaged file says of its parent cannot be trusted. Of the head the parent is known;
        of another one it is the one before it, as long as nothing branched.
        """
        pointer = pointer_of(self._view, damaged.workflow_id)
        if pointer is None:
            return None
        if pointer.head == damaged and pointer.chained is not None:
            return pointer.chained.before
        if pointer.branched:
            return None
        for named in self._view.checkpoint_files(damaged.workflow_id, newest_first=True):
            if named.sequence >= damaged.sequence:
                continue
            try:
                return read_file(self._view, named).checkpoint.id
            except Damaged:
                continue
        return None


def _base_of(row: StoredCheckpoint) -> Replay:
    try:
        return replay_of(row.checkpoint.id, row.base or [])
    except (KeyError, TypeError, ValueError, InvalidId) as error:
        raise CheckpointCorrupted(
            row.checkpoint.id, f"its base is not what can have been written ({error})"
        ) from error
