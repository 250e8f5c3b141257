"""Looks a store through: every row against its digests, every link against its parent's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_status import UNFINISHED
from ...domain.name_part import check_part
from ...domain.retention import PURGE_RESOURCE
from ...domain.scope import Scope
from ...domain.verification import NO_WAY_ON, START_ANEW, Finding, FindingKind
from . import care_statements as care
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
            self._guarded(self._check_schema)
            self._guarded(self._check_keyframes)
            self._guarded(self._check_checkpoints)
            self._guarded(self._check_workflows)
            self._guarded(self._check_sealed)
            self._guarded(self._check_numbers)
            self._guarded(self._check_memory)
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
        except UnicodeDecodeError:
            self._note_file("its schema is damaged: it is no text")

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

    def _check_schema(self) -> None:
        from .schema_check import problems_of_schema

        for problem in problems_of_schema(self._connection):
            self._note_file(problem)

    def _check_keyframes(self) -> None:
        for number, problem in self.keyframes.each_bad():
            workflow = self.keyframes.workflow_of(number)
            name = workflow.workflow_id if workflow is not None else None
            finding = Finding("keyframe", str(number), problem, advice=_REDUNDANT, workflow_id=name)
            self.note(Found(finding, "keyframes", number))
        self.checked["keyframes"] = self.keyframes.count

    def _check_checkpoints(self) -> None:
        count = 0
        chain: ChainCheck | None = None
        chains: dict[int, ChainCheck] = {}  # those with damage: a damaged row may be out of order
        for found in self._connection.execute(care.SELECT_ALL_CHECKPOINTS):
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
                finding = Finding(
                    "workflow",
                    _named(row),
                    problem,
                    advice=_REDUNDANT,
                    workflow_id=legal_name(row.workflow_id),
                )
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
        key = (row.id, row.opening)
        found = self._connection.execute(care.SELECT_OPENING, key).fetchone()
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
            finding = Finding(
                "workflow",
                _named(row),
                NO_WAY_ON,
                advice=START_ANEW,
                workflow_id=legal_name(row.workflow_id),
            )
            self.note(Found(finding))

    def _check_sealed(self) -> None:
        """Hold the rows of every other table against their seals: the last column."""
        for (table,) in self._connection.execute(care.SELECT_TABLES).fetchall():
            described = self._connection.execute(care.SELECT_COLUMNS, (table,))
            columns = [name for (name,) in described] or [""]
            if table in _SEALED_APART or columns[-1] != "seal":
                continue
            count = 0
            for rowid, *values in self._connection.execute(care.select_rows(table)):
                count += table != "leases" or values[0] != PURGE_RESOURCE
                if seal_of(values[:-1]) != values[-1]:
                    self._note_sealed(table, rowid, values)
            self.checked[table] = count
        # That a checkpoint was created is an event, and stands in its own row.
        self.checked["events"] = self.checked.get("events", 0) + self.checked.get("checkpoints", 0)

    def _note_sealed(self, table: str, rowid: int, values: list[object]) -> None:
        kind = _KINDS.get(table, "record")
        name = values[1] if table == "events" else values[0] if kind != "record" else None
        subject = {
            "attempts": f"{values[1]} of {values[0]}",
            "events": f"{values[0]} of {values[1]}",
            "leases": str(values[0]),
        }.get(table, f"{rowid} of {table}")
        finding = Finding(
            kind,
            _printable(subject),
            "its seal does not match",
            advice=_REPAIRABLE,
            workflow_id=legal_name(name),
        )
        self.note(Found(finding, table, rowid))

    def _check_numbers(self) -> None:
        for number, name in self._connection.execute(care.SELECT_NUMBERS_TWICE).fetchall():
            problem = "a checkpoint has its number"
            self._note_row("event", str(number), problem, "events", number, name)
        for (name,) in self._connection.execute(care.SELECT_WITHOUT_LEASE).fetchall():
            self._note_row("lease", _printable(name), "it is missing", "leases", None, name)

    def _check_memory(self) -> None:
        """Hold what is remembered of purges, and said of retention, against the workflows."""
        for table, text in (
            ("purged", care.SELECT_WRONG_PURGED),
            ("retention", care.SELECT_WRONG_RETENTION),
        ):
            for rowid, name in self._connection.execute(text).fetchall():
                problem = "it cannot be true of its workflow"
                self._note_row("record", f"{rowid} of {table}", problem, table, rowid, name)

    def _note_row(
        self,
        kind: FindingKind,
        subject: str,
        problem: str,
        table: str,
        rowid: int | None,
        name: object,
    ) -> None:
        known = any((each.table, each.rowid) == (table, rowid) for each in self.found)
        if rowid is None or not known:  # else its seal has told
            advice = _REDUNDANT if rowid is None else _REPAIRABLE
            finding = Finding(kind, subject, problem, advice=advice, workflow_id=legal_name(name))
            self.note(Found(finding, table, rowid))


def _named(row: WorkflowRow) -> str:
    try:
        return str(Scope(row.workflow_id))
    except (ValueError, TypeError):
        return f"number {row.id}"


def legal_name(name: object) -> str | None:
    """Return a name that a workflow may have; ``None`` for what can only be damage."""
    try:
        return check_part("workflow_id", name)
    except ValueError:
        return None


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
