"""Holds the checkpoints of one workflow against their digests, and against each other."""

from __future__ import annotations

from collections.abc import Iterator

from ...domain.damage_spread import DamageSpread
from ...domain.errors import CheckpointCorrupted
from ...domain.verification import Finding
from . import statements as sql
from .body import unpack
from .found import Found
from .keyframe_check import KeyframeCheck
from .rows import CheckpointRow, claimed_id, link_of, seal_of, to_checkpoint
from .transaction import Transaction, WorkflowRow

_IDS_SHOWN = 10


class ChainCheck:
    """Is given the checkpoints of one workflow in their order."""

    def __init__(
        self,
        transaction: Transaction,
        workflow: WorkflowRow,
        keyframes: KeyframeCheck,
        *,
        is_named: bool,
    ) -> None:
        self.workflow = workflow
        self._execute = transaction.connection.execute
        self._keyframes = keyframes
        self._is_named = is_named
        self._before: CheckpointRow | None = None
        self._problems: dict[int, tuple[CheckpointRow, str]] = {}  # by number
        self._damaged: set[int] = set()  # sequences
        self._spread: DamageSpread[int, CheckpointRow] = DamageSpread()  # by number
        self._missing_keyframes: list[CheckpointRow] = []

    @property
    def has_damage(self) -> bool:
        """Whether something was found."""
        return bool(self._problems or self._missing_keyframes)

    def add(self, row: CheckpointRow, body: object) -> None:
        """Look at the next row."""
        problem = self._problem(row, body)
        own = row.keyframe == row.number
        if problem is not None:
            self._problems[row.number] = (row, problem)
            self._damaged.add(row.sequence)
            if not self._keyframes.is_good(row.number):  # else what comes after stands on that
                self._spread.begin(row.sequence, row.number)
        elif own and self._keyframes.is_good(row.number):
            pass
        else:
            if own and row.number not in self._keyframes.bad:
                self._missing_keyframes.append(row)
            self._require_parent(row)
        self._before = row if problem is None else None

    def findings(self) -> Iterator[Found]:
        """Iterate over what was found, with what cannot be rebuilt because of it."""
        advice = "`holdfast doctor --repair` moves it to the quarantine, or puts it right"
        name = self.workflow.workflow_id if self._is_named else None
        for number, (row, problem) in self._problems.items():
            broken = self._spread.because_of(number)
            finding = Finding(
                "checkpoint",
                self._name(row),
                problem,
                tuple(self._name(each) for each in broken[:_IDS_SHOWN]),
                len(broken),
                advice,
                workflow_id=name,
            )
            numbers = tuple(each.number for each in broken)
            yield Found(finding, "checkpoints", number, self.workflow.id, numbers)
        for row in self._missing_keyframes:
            subject = f"{row.number} of {self._name(row)}"
            advice = "`holdfast doctor --repair` makes it anew"
            finding = Finding("keyframe", subject, "it is missing", advice=advice, workflow_id=name)
            yield Found(finding, "keyframes", row.number, self.workflow.id)

    def _name(self, row: CheckpointRow) -> str:
        try:
            name = str(claimed_id(row, self.workflow.workflow_id))
        except (ValueError, TypeError):
            name = f"number {row.number}"
        return name.encode("utf-8", "backslashreplace").decode()

    def _problem(self, row: CheckpointRow, body: object) -> str | None:
        if seal_of(row[:-1]) != row.seal:
            return "its seal does not match"
        if body is not None and not isinstance(body, bytes):
            return "its payload is of another type than was written"
        try:
            unpack(body, row.body_digest, "")
            to_checkpoint(row, self.workflow.workflow_id)
        except CheckpointCorrupted as error:
            return error.problem
        except (ValueError, TypeError) as error:
            # With a name that is damaged no id can be one; that is a finding of its own.
            return f"it is not what can have been written ({error})" if self._is_named else None
        before = self._before
        if before is not None and before.sequence >= row.sequence:
            return "its sequence is not above that of the one before"
        return self._problem_of_link(row)

    def _problem_of_link(self, row: CheckpointRow) -> str | None:
        if not self._is_named:
            return None
        if row.parent is None:
            link: bytes | None = b""
        elif row.parent in self._damaged:
            return None  # there is nothing to hold it against
        else:
            link = self._link_at(row.parent)
        if link is None or link_of(link, self.workflow.workflow_id, row) == row.link:
            return None
        return "its link does not fit its parent's"

    def _require_parent(self, row: CheckpointRow) -> None:
        if row.parent is None:
            return
        if self._spread.reaches(row.parent):
            self._spread.follow(row.sequence, row.parent, row)
            return
        there = row.parent in self._damaged or self._link_at(row.parent) is not None
        if there or self._keyframes.head_of(row.keyframe, self.workflow) == row.parent:
            return
        self._problems[row.number] = (row, f"its parent, checkpoint {row.parent}, is missing")
        self._spread.begin(row.sequence, row.number)

    def _link_at(self, sequence: int) -> bytes | None:
        if self._before is not None and self._before.sequence == sequence:
            return self._before.link
        key = (self.workflow.id, sequence)
        found = self._execute(sql.SELECT_CHECKPOINT, key).fetchone()
        return CheckpointRow._make(found).link if found else None
