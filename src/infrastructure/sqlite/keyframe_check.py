"""Which keyframes can be relied on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import asdict

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import CheckpointCorrupted, Damaged, NotFound
from . import care_statements as care
from . import statements as sql
from .chains import Chains
from .compression import decompress
from .keyframes import KeyframeRow, Keyframes
from .rebuild import Rebuild
from .rows import digest, seal_of
from .transaction import Transaction, WorkflowRow


class KeyframeCheck:
    """Holds keyframes against their seals and digests, and against what they stand on.

    Attributes:
        bad: the numbers of those that cannot be relied on.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._connection: sqlite3.Connection = transaction.connection
        self._transaction = transaction
        self._keyframes = Keyframes(transaction)
        self.bad: set[int] = set()
        self.count = 0

    def each_bad(self) -> Iterator[tuple[int, str]]:
        """Iterate over number and problem of the bad ones, each after what it stands on."""
        for found in self._connection.execute(care.SELECT_ALL_KEYFRAMES):
            self.count += 1
            number = found[0]
            problem = self._problem(KeyframeRow._make(found[:-1]), found[-1])
            if problem is None and not self._is_needed(number):
                yield number, "it belongs to no checkpoint"
                continue
            if problem is None and not self._adds_up(number):
                problem = "it is not what its chain adds up to"
            if problem is not None:
                self.bad.add(number)
                yield number, problem

    def workflow_of(self, number: int) -> WorkflowRow | None:
        """Return the workflow of the checkpoint with that number, where there is one."""
        found = self._connection.execute(care.SELECT_WORKFLOW_OF_NUMBER, (number,)).fetchone()
        if found is None:
            return None
        record = self._connection.execute(sql.SELECT_WORKFLOW_BY_NUMBER, found[:1]).fetchone()
        row = WorkflowRow(*record[:-1]) if record else None
        return row if row is not None and row.seal == record[-1] else None

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

    def _is_needed(self, number: int) -> bool:
        """Whether a checkpoint, or another keyframe, stands on it; its own may be gone."""
        text = care.SELECT_WHO_NEEDS_KEYFRAME
        return self._connection.execute(text, {"number": number}).fetchone() is not None

    def _adds_up(self, number: int) -> bool:
        """Whether it says the same as its chain, where that can be told without it."""
        workflow = self.workflow_of(number)
        if workflow is None:
            return True
        _, sequence = self._connection.execute(care.SELECT_WORKFLOW_OF_NUMBER, (number,)).fetchone()
        subject = CheckpointId(workflow.workflow_id, None, None, sequence)
        others = _OtherKeyframes(self._transaction, {*self.bad, number})
        try:
            rebuilt = Chains(self._transaction, others).rebuild(workflow, sequence, subject)
            kept = self._keyframes.load(number, workflow)
        except (Damaged, NotFound, ValueError):
            return True
        return _told(rebuilt) == _told(kept)


class _OtherKeyframes(Keyframes):
    """All keyframes but some, so that these can be held against the others."""

    def __init__(self, transaction: Transaction, without: Collection[int]) -> None:
        super().__init__(transaction)
        self._without = without

    def load(self, number: int, workflow: WorkflowRow) -> Rebuild:
        """Return what a keyframe holds, unless it is one of those."""
        if number in self._without:
            raise CheckpointCorrupted(f"keyframe {number}", "it is not to be looked at")
        return super().load(number, workflow)


def _told(rebuild: Rebuild) -> str:
    """Return all that a chain adds up to as canonical text: equal in value and type."""
    scopes = rebuild.finish().scopes
    told = {scope.key: asdict(record) for scope, record in scopes.items()}
    return json.dumps(told, sort_keys=True, default=str)
