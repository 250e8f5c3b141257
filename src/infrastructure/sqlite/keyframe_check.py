"""Which keyframes can be relied on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from ...domain.errors import CheckpointCorrupted
from . import statements as sql
from .compression import decompress
from .keyframes import KeyframeRow, Keyframes
from .rows import digest, seal_of
from .transaction import Transaction, WorkflowRow


class KeyframeCheck:
    """Holds keyframes against their seals and digests, and against what they stand on.

    Attributes:
        bad: the numbers of those that cannot be relied on.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._connection: sqlite3.Connection = transaction.connection
        self._keyframes = Keyframes(transaction)
        self.bad: set[int] = set()
        self.count = 0

    def each_bad(self) -> Iterator[tuple[int, str]]:
        """Iterate over number and problem of the bad ones, each after what it stands on."""
        text = f"SELECT {sql.KEYFRAME_COLUMNS}, body FROM keyframes ORDER BY number"  # noqa: S608
        for found in self._connection.execute(text):
            self.count += 1
            problem = self._problem(KeyframeRow._make(found[:-1]), found[-1])
            if problem is not None:
                self.bad.add(found[0])
                yield found[0], problem
            elif not self._has_checkpoint(found[0]):
                yield found[0], "it belongs to no checkpoint"

    def is_good(self, number: int | None) -> bool:
        """Whether there is a keyframe under that number that can be relied on."""
        if not isinstance(number, int) or number in self.bad:
            return False
        return self._connection.execute(sql.SELECT_KEYFRAME, (number,)).fetchone() is not None

    def head_of(self, number: int | None, workflow: WorkflowRow) -> int | None:
        """Return the sequence of the checkpoint at which a good keyframe stands."""
        if number is None or not self.is_good(number):
            return None
        try:
            head = self._keyframes.load(number, workflow).replay.head
        except CheckpointCorrupted:
            return None
        return head.sequence if head else None

    def _problem(self, row: KeyframeRow, body: object) -> str | None:
        if seal_of(row[:-1]) != row.seal:
            return "its seal does not match"
        if not isinstance(body, bytes) or digest(body) != row.body_digest:
            return "the digest of its body does not match"
        try:
            decompress(body)
        except ValueError as error:
            return f"its body cannot be read ({error})"
        if row.base is not None and (row.base >= row.number or not self.is_good(row.base)):
            return f"keyframe {row.base}, which it is a difference from, is missing or damaged"
        return None

    def _has_checkpoint(self, number: int) -> bool:
        text = "SELECT 1 FROM checkpoints WHERE number = ?"
        if self._connection.execute(text, (number,)).fetchone():
            return True
        # Its own may have been damaged; what comes after it stands on the keyframe still.
        text = "SELECT 1 FROM checkpoints WHERE keyframe = ? LIMIT 1"
        return self._connection.execute(text, (number,)).fetchone() is not None
