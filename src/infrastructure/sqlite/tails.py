"""What a writer remembers of the chains that it adds to: what they add up to at their ends."""

from __future__ import annotations

from collections import OrderedDict

from ...domain.scope import Scope
from .body import Member, Members
from .rebuild import Rebuild
from .rows import CheckpointRow

_MOST_WORKFLOWS = 10_000
_MOST_BYTES = 64 << 20
# What patches made, inputs and outputs are held as values, which take more room than their texts,
# about so many times as much; beyond the limit they are read again when they are needed.
_VALUE_FACTOR = 8
_MOST_IN_VALUES = 4 << 20
# What is held of a scope besides.
_SCOPE_SIZE = 400
# What is held as it is.
_TEXTS: frozenset[Member] = frozenset(["state"])


class Tail:
    """The end of a chain: its states, and, where that is known, all that the chain adds up to.

    Attributes:
        link: of the checkpoint that the chain ends with. It tells one history from every other.
        states: those that were handed in whole, as they were handed in.
        rebuild: what the chain adds up to; ``None`` where that was never read, or is too much.
        size: how many bytes it holds, about; right again with each `weigh`.
    """

    __slots__ = ("_in_values", "link", "rebuild", "size", "states")

    def __init__(self, link: bytes, rebuild: Rebuild | None = None) -> None:
        self.link = link
        self.rebuild = rebuild
        self.states: dict[Scope, bytes | bytearray] = rebuild.whole if rebuild else {}
        self.size = sum(map(len, self.states.values()))
        self._in_values = 0

    def add(self, scope: Scope, row: CheckpointRow, members: Members) -> None:
        """Go on to the next checkpoint of the chain; `trim` comes when that is written."""
        self.link = b""  # of no checkpoint, should this be interrupted halfway
        before = self.states.get(scope)
        if members.keys() - _TEXTS:
            self._count_values(members, before)
        if self.rebuild is not None:
            self.rebuild.apply(row, members, scope.workflow_id)
        elif "state" in members:
            self.states[scope] = members["state"]
        elif "patch" in members:
            self.states.pop(scope, None)
        self.size += len(self.states.get(scope, b"")) - len(before or b"")
        self.link = row.link

    def weigh(self, keyframe: int) -> None:
        """Count what it holds, by the bytes of the keyframe that was made of it."""
        if self.rebuild is None:
            return
        in_texts = sum(map(len, self.states.values()))
        self._in_values = max(0, keyframe - in_texts) * _VALUE_FACTOR
        self._in_values += len(self.rebuild.replay.scopes) * _SCOPE_SIZE
        self.size = in_texts + self._in_values

    def trim(self) -> None:
        """Hold no values any longer where they are much."""
        if self._in_values > _MOST_IN_VALUES:
            self.forget_values()

    def forget_values(self) -> None:
        """Hold nothing but states that were handed in whole."""
        self.size -= self._in_values
        self._in_values = 0
        self.states, self.rebuild = dict(self.states), None

    def _count_values(self, members: Members, before: bytes | bytearray | None) -> None:
        if self.rebuild is None:
            return
        size = sum(len(text) for name, text in members.items() if name not in _TEXTS)
        if before is not None and "patch" in members:
            size += len(before)
        self._in_values += size * _VALUE_FACTOR
        self.size += size * _VALUE_FACTOR


class Tails:
    """The tails of the workflows written to last, by their number; so many bytes at the most."""

    def __init__(self, most: int = _MOST_BYTES) -> None:
        self._most = most
        self._tails: OrderedDict[int, Tail] = OrderedDict()
        self._sizes: dict[int, int] = {}
        self._total = 0

    def get(self, workflow: int, link: bytes) -> Tail | None:
        """Return the tail of a workflow, if its chain ends with that link."""
        tail = self._tails.get(workflow)
        return tail if tail is not None and tail.link == link else None

    def put(self, workflow: int, tail: Tail) -> None:
        """Keep the tail of a workflow, as the one that was used last."""
        self._tails[workflow] = tail
        self._tails.move_to_end(workflow)
        size = tail.size
        known = self._sizes.get(workflow)
        if known == size:
            return
        self._total += size - (known or 0)
        self._sizes[workflow] = size
        while self._total > self._most or len(self._tails) > _MOST_WORKFLOWS:
            self._drop(next(iter(self._tails)))

    def forget(self, workflow: int) -> None:
        """Forget what is known of a workflow's chain."""
        if workflow in self._tails:
            self._drop(workflow)

    def _drop(self, workflow: int) -> None:
        del self._tails[workflow]
        self._total -= self._sizes.pop(workflow)
