"""Looks a store through: every row against its digests, every link against its parent's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_status import UNFINISHED
from ...domain.scope import Scope
from ...domain.verification import Finding, FindingKind
from . import statements as sql
from .chain_check import ChainCheck
from .chains import Chains
from .found import Found
from .keyframe_check import KeyframeCheck
from .keyframes import Keyframes
from .lenient_text import lenient_text
from .rows import CheckpointRow, seal_of
from .transaction import Transaction, WorkflowRow
from .trouble import is_passing

SALVAGE = (
    "salvage what can be read with `sqlite3 FILE .recover | sqlite3 NEW`, or restore a backup; "
    "a repair does not touch it"
)
_REPAIRABLE = "`holdfast doctor --repair` moves it to the quarantine"
_REDUNDANT = "`holdfast doctor --repair` makes it anew"
_UNFINISHED = frozenset(each.value for each in UNFINISHED)
_KINDS: dict[str, FindingKind] = {"leases": "lease", "attempts": "attempt", "events": "event"}
# What `PRAGMA integrity_check` says when the rows are right and an index is not.
_OF_INDEX = ("missing from index", "wrong # of entries in index", "non-unique entry in index")
_SEALED_APART = ("workflows", "checkpoints", "keyframes")


class Verification:
    """Looks at one view of a store; memory grows with the damage, not with the store."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction
        self._connection = transaction.connection
        self.found: list[Found] = []
        self.checked: dict[str, int] = {}
        self.keyframes = KeyframeCheck(transaction)
        self._broken_workflows: set[int] = set()

    def run(self) -> list[Found]:
        """Return what is damaged."""
        with lenient_text(self._connection):
            self._guarded(self._check_file)
            self._guarded(self._check_keyframes)
            self._guarded(self._check_checkpoints)
            self._guarded(self._check_workflows)
            self._guarded(self._check_sealed)
            self._guarded(self._check_numbers)
        return self.found

    def note(self, found: Found) -> None:
        """Add something that was found."""
        self.found.append(found)
        if found.workflow is not None and (found.broken or found.table == "checkpoints"):
            self._broken_workflows.add(found.workflow)

    def _guarded(self, check: Callable[[], None]) -> None:
        try:
            check()
        except sqlite3.DatabaseError as error:
            if is_passing(error):
                raise
            self._note_file(str(error))

    def _note_file(self, problem: str) -> None:
        known = any(each.finding.problem == problem for each in self.found)
        if not known:
            self.note(Found(Finding("file", self._tx.store.target, problem, advice=SALVAGE)))

    def _check_file(self) -> None:
        for (line,) in self._connection.execute("PRAGMA integrity_check"):
            if line == "ok":
                continue
            if any(each in line for each in _OF_INDEX):
                subject = line.rpartition(" ")[2]
                self.note(Found(Finding("index", subject, line, advice=_REDUNDANT)))
            else:
                self._note_file(line)

    def _check_keyframes(self) -> None:
        for number, problem in self.keyframes.each_bad():
            finding = Finding("keyframe", str(number), problem, advice=_REDUNDANT)
            self.note(Found(finding, "keyframes", number))
        self.checked["keyframes"] = self.keyframes.count

    def _check_checkpoints(self) -> None:
        count = 0
        chain: ChainCheck | None = None
        chains: dict[int, ChainCheck] = {}  # those with damage: a damaged row may be out of order
        text = (
            f"SELECT {sql.CHECKPOINT_COLUMNS}, body FROM checkpoints "  # noqa: S608
            "INDEXED BY checkpoints_by_sequence ORDER BY workflow, sequence"
        )
        for found in self._connection.execute(text):
            count += 1
            row = CheckpointRow._make(found[:-1])
            if chain is None or chain.workflow.id != row.workflow:
                if chain is not None and chain.has_damage:
                    chains[chain.workflow.id] = chain
                chain = chains.get(row.workflow) or self._chain(row.workflow)
            chain.add(row, found[-1])
        if chain is not None and chain.has_damage:
            chains[chain.workflow.id] = chain
        for each in chains.values():
            for one in each.findings():
                self.note(one)
        self.checked["checkpoints"] = count

    def _chain(self, number: int) -> ChainCheck:
        found = self._connection.execute(sql.SELECT_WORKFLOW_BY_NUMBER, (number,)).fetchone()
        if found is None:
            problem = "the record of a workflow that has checkpoints is missing"
            subject = f"number {number}"
            finding = Finding("workflow", subject, problem, advice=_REDUNDANT)
            self.note(Found(finding, "workflows", number, number))
            row = WorkflowRow(number, subject, 0, 0)
        else:
            row = WorkflowRow(*found[:-1])
        # By a name that may be wrong no link can be judged: the record comes first.
        is_named = found is not None and row.seal == found[-1]
        return ChainCheck(self._tx, row, self.keyframes, is_named=is_named)

    def _check_workflows(self) -> None:
        count = 0
        text = sql.SELECT_WORKFLOWS
        for found in self._connection.execute(text):
            count += 1
            row = WorkflowRow(*found[:-1])
            problem = self._problem_of_workflow(row, found[-1])
            if problem is not None:
                finding = Finding("workflow", _named(row), problem, advice=_REDUNDANT)
                self.note(Found(finding, "workflows", row.id, row.id))
            elif row.id in self._broken_workflows and row.status in _UNFINISHED:
                self._check_way_on(row)
        self.checked["workflows"] = count

    def _problem_of_workflow(self, row: WorkflowRow, seal: object) -> str | None:
        if row.seal != seal:
            return "the seal of its record does not match"
        if row.opening is None:
            if row.status is None and row.handler is None:
                return None
            return "its record has the status of an opening, and names none"
        text = (
            "SELECT type, status, resume_handler FROM checkpoints "
            "WHERE workflow = ? AND sequence = ?"
        )
        found = self._connection.execute(text, (row.id, row.opening)).fetchone()
        if found is None:
            return f"its opening, checkpoint {row.opening}, is missing"
        if found != ("workflow_start", row.status, row.handler):
            return "its record does not say the same as its opening"
        return None

    def _check_way_on(self, row: WorkflowRow) -> None:
        (newest,) = self._connection.execute(sql.SELECT_LAST_SEQUENCE, (row.id,)).fetchone()
        chains = Chains(self._tx, Keyframes(self._tx))
        head = CheckpointId(row.workflow_id, None, None, newest or 1)
        if newest is not None and chains.newest_intact(row, head) is None:
            problem = "it is in flight, and nothing intact is left to carry it on from"
            advice = "restore a backup, or start it anew under another name"
            self.note(Found(Finding("workflow", _named(row), problem, advice=advice)))

    def _check_sealed(self) -> None:
        """Hold the rows of every other table against their seals: the last column."""
        names = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in names.fetchall():
            own = sql.quoted(table)
            columns = [each[1] for each in self._connection.execute(f"PRAGMA table_info({own})")]
            if table in _SEALED_APART or columns[-1] != "seal":
                continue
            count = 0
            for rowid, *values in self._connection.execute(f"SELECT rowid, * FROM {own}"):  # noqa: S608
                count += 1
                if seal_of(values[:-1]) != values[-1]:
                    self._note_sealed(table, rowid, values)
            self.checked[table] = count

    def _note_sealed(self, table: str, rowid: int, values: list[object]) -> None:
        subject = f"{values[1]} of {values[0]}" if table == "attempts" else str(values[0])
        if table == "events":
            subject = f"{values[0]} of {values[1]}"
        kind = _KINDS.get(table, "record")
        subject = subject if kind != "record" else f"{rowid} of {table}"
        finding = Finding(kind, _printable(subject), "its seal does not match", advice=_REPAIRABLE)
        self.note(Found(finding, table, rowid))

    def _check_numbers(self) -> None:
        text = "SELECT e.number FROM events AS e JOIN checkpoints AS c ON c.number = e.number"
        for (number,) in self._connection.execute(text).fetchall():
            finding = Finding(
                "event", str(number), "a checkpoint has its number", advice=_REPAIRABLE
            )
            self.note(Found(finding, "events", number))
        text = (
            "SELECT DISTINCT workflow_id FROM attempts AS a WHERE NOT EXISTS "
            "(SELECT 1 FROM leases WHERE resource = a.workflow_id)"
        )
        for (name,) in self._connection.execute(text).fetchall():
            finding = Finding("lease", _printable(name), "it is missing", advice=_REDUNDANT)
            self.note(Found(finding, "leases"))


def _named(row: WorkflowRow) -> str:
    try:
        return str(Scope(row.workflow_id))
    except (ValueError, TypeError):
        return f"number {row.id}"


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
