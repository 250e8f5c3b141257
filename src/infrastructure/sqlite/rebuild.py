"""A context in the making: what a chain adds up to, its states still as texts."""

from __future__ import annotations

from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_type import CheckpointType
from ...domain.errors import CheckpointCorrupted
from ...domain.json_value import JsonObject, JsonValue, merge_patch
from ...domain.replay import Change, Replay
from ...domain.scope import Scope
from ..json_codec import JsonCodec
from .body import Members
from .differences import apply_difference
from .rows import CheckpointRow, id_of, to_checkpoint

# Nothing is opened or closed by them: what they say of the state is all.
_ONLY_STATE = frozenset(each.value for each in CheckpointType if not each.opens and not each.closes)


class Rebuild:
    """What a chain adds up to, with states as texts, so that differences apply to them.

    Attributes:
        replay: everything but the states.
        whole: states as they were handed in: what a later difference may start from.
        merged: states that patches made, as values; as texts where no patch needed them yet.
    """

    def __init__(self, codec: JsonCodec, replay: Replay | None = None) -> None:
        self.replay = replay or Replay()
        self.whole: dict[Scope, bytes | bytearray] = {}
        self.merged: dict[Scope, JsonObject | bytes] = {}
        self._codec = codec
        self._scopes: dict[tuple[str | None, str | None], Scope] = {}

    def apply(self, row: CheckpointRow, members: Members, workflow_id: str) -> None:
        """Add the next checkpoint of the chain; `set_head` comes after the last one.

        Raises:
            CheckpointCorrupted: what it stores is not what can have been written.
        """
        key = (row.stage_id, row.agent_id)
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = Scope(workflow_id, *key)
        try:
            if members:
                self._change_state(scope, members)
            if row.type in _ONLY_STATE:
                self.replay.mention(scope, row.resume_handler)
                return
            change = Change(
                to_checkpoint(row, workflow_id),
                input=self._value(members.get("input")),
                output=self._value(members.get("output")),
            )
        except (ValueError, TypeError) as error:
            raise CheckpointCorrupted(
                id_of(row, workflow_id), f"its payload is not what can have been written ({error})"
            ) from error
        self.replay.apply(change)

    def set_head(self, head: CheckpointId) -> None:
        """Say which checkpoint was the last."""
        self.replay.head = head

    def finish(self) -> Replay:
        """Return the replay with its states; this is of no use afterwards."""
        decode = self._codec.decode
        scopes = self.replay.scopes
        for scope, text in self.whole.items():
            scopes[scope].state = decode(text)
        for scope, state in self.merged.items():
            scopes[scope].state = decode(state) if isinstance(state, bytes) else state
        return self.replay

    def _change_state(self, scope: Scope, members: Members) -> None:
        state = members.get("state")
        difference = members.get("difference")
        patch = members.get("patch")
        if state is not None:
            self.whole[scope] = state
            self.merged.pop(scope, None)
        elif difference is not None:
            if scope not in self.whole:
                raise ValueError("the state that it is a difference from is missing")
            self.whole[scope] = apply_difference(self.whole[scope], difference)
        if patch is not None:
            self.merged[scope] = merge_patch(self._state(scope), self._codec.decode(patch))
            self.whole.pop(scope, None)

    def _state(self, scope: Scope) -> JsonObject:
        merged = self.merged.get(scope)
        if isinstance(merged, dict):
            return merged
        state: JsonObject = self._codec.decode(merged or self.whole.get(scope, b"{}"))
        return state

    def _value(self, text: bytes | None) -> JsonValue:
        return self._codec.decode(text) if text is not None else None
