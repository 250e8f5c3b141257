"""What a chain adds up to, one checkpoint after the other from its root."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from .checkpoint import Checkpoint
from .checkpoint_id import CheckpointId
from .json_value import JsonObject, JsonValue, merge_patch
from .scope import Scope
from .scope_record import ScopeRecord


@dataclass(frozen=True, slots=True)
class Change:
    """What one checkpoint adds to its chain.

    Attributes:
        state: replaces the state of its scope, unless ``None``.
        patch: merges into the state of its scope, unless ``None``.
    """

    checkpoint: Checkpoint
    state: JsonObject | None = None
    patch: JsonObject | None = None
    input: JsonValue = None
    output: JsonValue = None


class Replay:
    """What a chain adds up to: a record a scope. Mutable; `copy` it before going two ways.

    ``state`` replaces its scope's state, ``patch`` merges into it (RFC 7396), scopes never share a
    state. Of two writers of one scope, the later one in the chain wins.
    """

    def __init__(self) -> None:
        self.head: CheckpointId | None = None
        # In the order of their first mention, except that closing moves a scope to the end: so
        # the finished come in the order of completion.
        self.scopes: dict[Scope, ScopeRecord] = {}
        self._open: set[Scope] = set()

    def apply(self, change: Change) -> None:
        """Add what the next checkpoint of the chain says."""
        checkpoint = change.checkpoint
        scope = checkpoint.scope
        self.head = checkpoint.id
        record = self.mention(scope, checkpoint.resume_handler)
        if change.state is not None:
            record.state = change.state
        if change.patch is not None:
            record.state = merge_patch(record.state, change.patch)
        if checkpoint.type.opens:
            _open(record, change)
            self._open.add(scope)
        elif checkpoint.type.closes:
            self._close(scope, change.output, checkpoint.created_at)

    def mention(self, scope: Scope, handler: str | None) -> ScopeRecord:
        """Return the record of a scope that the chain speaks of, a new one the first time.

        Of a checkpoint that neither opens nor closes that is all there is to add, besides what it
        says of the state.
        """
        record = self.scopes.get(scope)
        if record is None:
            record = self.scopes[scope] = ScopeRecord()
        if handler is not None:
            record.handler = handler
        return record

    @classmethod
    def resume(cls, head: CheckpointId, scopes: dict[Scope, ScopeRecord]) -> Replay:
        """Return one that stands at *head* and goes on from there; *scopes* in their order."""
        replay = cls()
        replay.head = head
        replay.scopes = scopes
        replay._open = {scope for scope, record in scopes.items() if record.is_open}
        return replay

    def record(self, scope: Scope) -> ScopeRecord:
        """Return what is known of *scope*; an empty record where nothing is."""
        return self.scopes.get(scope) or ScopeRecord()

    def open_scopes(self) -> Iterator[tuple[Scope, ScopeRecord]]:
        """Iterate over what was opened and not closed, in the order of opening."""
        opened = [(scope, self.scopes[scope]) for scope in self._open]
        return iter(sorted(opened, key=_opening_sequence))

    def finished(self) -> Iterator[tuple[Scope, ScopeRecord]]:
        """Iterate over what was closed, in the order of closing."""
        return ((scope, record) for scope, record in self.scopes.items() if record.is_finished)

    def copy(self) -> Replay:
        """Return one that can go on by itself; states are shared, they are never changed."""
        other = Replay()
        other.head = self.head
        other.scopes = {scope: copy.copy(record) for scope, record in self.scopes.items()}
        other._open = set(self._open)
        return other

    def _close(self, scope: Scope, output: JsonValue, at: datetime) -> None:
        record = self.scopes.pop(scope)
        record.output, record.until = output, at
        record.is_open, record.is_finished = False, True
        self.scopes[scope] = record
        # What was left open inside was abandoned with it.
        ended = {each for each in self._open if each == scope or scope.encloses(each)}
        for each in ended:
            self.scopes[each].is_open = False
        self._open -= ended


def _open(record: ScopeRecord, change: Change) -> None:
    checkpoint = change.checkpoint
    record.opening = checkpoint.id
    record.since, record.until = checkpoint.created_at, None
    record.title, record.kind = checkpoint.name, checkpoint.kind
    record.input, record.output = change.input, None
    record.is_open, record.is_finished = True, False


def _opening_sequence(entry: tuple[Scope, ScopeRecord]) -> int:
    opening = entry[1].opening
    return opening.sequence if opening else 0
