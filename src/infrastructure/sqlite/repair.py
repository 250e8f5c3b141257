"""Puts a damaged store right, as far as that can be: within one transaction.

What is damaged goes to the quarantine before it is changed or taken out, with what cannot be
rebuilt without it; what is redundant is made anew from what is intact.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...domain.errors import Damaged, NotFound
from ...domain.verification import (
    GIVEN_UP,
    MADE_ANEW,
    QUARANTINED,
    Finding,
    VerifyReport,
    quarantined_with,
    repaired_event,
)
from . import care_statements as care
from .chains import Chains
from .found import Found
from .keyframes import Keyframes
from .lenient_text import lenient_text
from .quarantine import Quarantine
from .repaired_records import put_lease, put_workflow
from .rows import CheckpointRow, digest, id_of, seal_of
from .single_byte import put_body_right, put_right
from .transaction import WorkflowRow
from .verification import Verification, legal_name

if TYPE_CHECKING:
    from .unit_of_work import SqliteUnitOfWork

# What is put right may bring to light what it hid; each time round leaves less.
_MOST_ROUNDS = 8
_BELOW = "file"


class Repair:
    """Repairs what a verification within the same transaction finds."""

    def __init__(self, uow: SqliteUnitOfWork, at: datetime) -> None:
        self._uow = uow
        self._tx = uow.transaction
        self._execute = self._tx.connection.execute
        self._at = at
        self._quarantine = Quarantine(Path(self._tx.store.target))
        self._done: list[Finding] = []

    def run(self) -> VerifyReport:
        """Repair what can be, and return what was found and done."""
        for _ in range(_MOST_ROUNDS):
            verification = Verification(self._tx)
            found = verification.run()
            if any(each.finding.kind == _BELOW for each in found):
                break  # writing into damaged pages would destroy more
            # By their record's name, and through indexes, everything else is judged.
            first = [each for each in found if each.finding.kind in ("index", "workflow")]
            acts = self._repair_each(first) or self._repair_each(found)
            if not acts:
                break
            for act in acts:
                self._note(act)
            self._tx.memory.forget()
        else:
            found = Verification(self._tx).run()
        self._quarantine.sync()
        return VerifyReport(
            self._tx.store.target,
            (*self._done, *(each.finding for each in found)),
            verification.checked,
            str(self._quarantine.path) if self._quarantine.is_used else None,
        )

    def _repair_each(self, found: list[Found]) -> list[Finding]:
        return [act for each in found if (act := self._repair(each)) is not None]

    def _repair(self, found: Found) -> Finding | None:
        """Do what can be done about a finding; ``None`` when nothing can."""
        with lenient_text(self._tx.connection):
            if found.finding.kind == "index":
                self._execute(care.reindex(found.finding.subject))
                return replace(found.finding, repair=MADE_ANEW)
            if found.table == "leases" and found.rowid is None:
                return self._lease(found, found.finding.subject)
            if not found.table or found.rowid is None:
                return None
            row = self._row(found.table, found.rowid)
            if found.table == "keyframes":
                return self._keyframe(found, row)
            if row is None and found.table == "workflows":
                return self._workflow(found, {"workflow_id": None, "sequence_floor": 0})
            if row is None:
                return None  # what was done before took it along
            self._keep(found.table, found.rowid, row, str(found.finding))
            if self._put_right(found.table, found.rowid, row):
                return replace(found.finding, repair="one byte was wrong, and is put right")
            if found.table == "workflows":
                return self._workflow(found, row)
            if found.table == "checkpoints":
                return self._checkpoint(found, row)
            self._delete(found.table, found.rowid)
            if found.table == "leases" and isinstance(row["resource"], str):
                return self._lease(found, row["resource"], row["epoch"])
            return replace(found.finding, repair=QUARANTINED)

    def _checkpoint(self, found: Found, row: dict[str, Any]) -> Finding:
        for number in found.broken:
            dependent = self._row("checkpoints", number)
            if dependent is not None:
                why = f"it cannot be rebuilt without {found.finding.subject}, which is damaged"
                self._keep("checkpoints", number, dependent, why)
        # What is gone must not be given out again, wherever the rest of the row is wrong.
        self._raise_floor([row, *(self._row("checkpoints", each) for each in found.broken)])
        for number in (row["number"], *found.broken):
            self._delete("checkpoints", number)
        return replace(found.finding, repair=quarantined_with(len(found.broken)))

    def _raise_floor(self, rows: list[dict[str, Any] | None]) -> None:
        for row in rows:
            workflow = self._workflow_row(row["workflow"]) if row else None
            if row is None or workflow is None or not isinstance(row["sequence"], int):
                continue
            text = care.SELECT_NEWEST_SEQUENCE
            (newest,) = self._execute(text, (workflow.id,)).fetchone()
            # A sequence that is damage itself may be anything: the row's place tells.
            if isinstance(newest, int) and newest > workflow.sequence_floor:
                workflow.sequence_floor = newest
                self._tx.save_workflow(workflow)

    def _keyframe(self, found: Found, row: dict[str, Any] | None) -> Finding | None:
        number = found.rowid or 0
        if row is not None:
            self._keep("keyframes", number, row, str(found.finding))
            body = put_body_right(row["body"], row["body_digest"])
            if body is not None and _is_sealed(list(row.values())[:-1]):
                self._execute(care.PUT_BODY_OF_KEYFRAME, (body, number))
                return replace(found.finding, repair="one byte was wrong, and is put right")
            self._delete("keyframes", number)
        at = self._execute(care.SELECT_WHOLE_CHECKPOINT, (number,)).fetchone()
        if at is None:
            return replace(found.finding, repair=QUARANTINED)
        checkpoint = CheckpointRow._make(at[:-1])
        if self._rebuild_keyframe(checkpoint):
            return replace(found.finding, repair=MADE_ANEW)
        # Nobody may look for it there any more; what stands on it is found in the next round.
        changed = checkpoint._replace(keyframe=None, since_rows=1)
        changed = changed._replace(seal=seal_of(changed[:-1]))
        if seal_of(checkpoint[:-1]) == checkpoint.seal:
            self._execute(care.FORGET_KEYFRAME, (changed.seal, number))
        return replace(found.finding, repair=QUARANTINED)

    def _rebuild_keyframe(self, row: CheckpointRow) -> bool:
        workflow = self._workflow_row(row.workflow)
        if workflow is None:
            return False
        keyframes = Keyframes(self._tx)
        try:
            rebuild = Chains(self._tx, keyframes).rebuild(
                workflow, row.sequence, id_of(row, workflow.workflow_id)
            )
        except (Damaged, NotFound, ValueError):
            return False
        keyframes.add(row, rebuild, None)
        return True

    def _workflow(self, found: Found, row: dict[str, Any]) -> Finding | None:
        if not put_workflow(self._tx, found.rowid or 0, row):
            return None
        made = self._workflow_row(found.rowid)
        name = made.workflow_id if made is not None else None
        repair = "made anew from its checkpoints"
        return replace(found.finding, repair=repair, workflow_id=name)

    def _lease(self, found: Found, resource: str, epoch: object = 0) -> Finding:
        put_lease(self._uow, resource, epoch, self._at)
        return replace(found.finding, repair=GIVEN_UP, workflow_id=legal_name(resource))

    def _put_right(self, table: str, rowid: int, row: dict[str, Any]) -> bool:
        """Look for one wrong byte, and put it right."""
        body = row.pop("body", None) if table == "checkpoints" else None
        values = list(row.values())
        if table == "checkpoints":
            row["body"] = body
        right = tuple(values) if _is_sealed(values) else put_right(values)
        if right is None:
            return False
        columns = [name for name in row if name != "body"]
        if table == "checkpoints":
            wanted = right[columns.index("body_digest")]
            if digest(body or b"") != wanted:
                body = put_body_right(body, wanted)
                if body is None:
                    return False
                self._execute(care.PUT_BODY_OF_CHECKPOINT, (body, rowid))
            elif right == tuple(values):
                return False  # sealed and whole: it is something else that does not fit
        elif right == tuple(values):
            return False
        self._execute(care.update_row(table, columns), (*right, rowid))
        return True

    def _note(self, act: Finding) -> None:
        self._done.append(act)
        self._uow.events.append(repaired_event(act, self._at))

    def _row(self, table: str, rowid: int) -> dict[str, Any] | None:
        cursor = self._execute(care.select_row(table), (rowid,))
        found = cursor.fetchone()
        return (
            dict(zip((each[0] for each in cursor.description), found, strict=True))
            if found
            else None
        )

    def _keep(self, table: str, rowid: int, row: dict[str, Any], why: str) -> None:
        self._quarantine.put(table, rowid, row, why, self._at)

    def _delete(self, table: str, rowid: int) -> None:
        self._execute(care.delete_row(table), (rowid,))

    def _workflow_row(self, number: object) -> WorkflowRow | None:
        found = self._execute(care.SELECT_WHOLE_WORKFLOW, (number,)).fetchone()
        return WorkflowRow(*found[:-1]) if found else None


def _is_sealed(values: list[Any]) -> bool:
    return bool(seal_of(values[:-1]) == values[-1])
