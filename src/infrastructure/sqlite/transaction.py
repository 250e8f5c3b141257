"""What the repositories of one transaction share."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import CheckpointCorrupted, NotFound
from ...domain.ports import OnDamage
from ...domain.scope import Scope
from . import statements as sql
from .lenient_text import lenient_text
from .recollection import recollect
from .rows import Parent, intact_row, seal_of
from .trouble import is_undecodable
from .writer_memory import WriterMemory

if TYPE_CHECKING:
    from .store import SqliteStore


@dataclass(slots=True)
class WorkflowRow:
    """A row of ``workflows``."""

    id: int
    workflow_id: str
    sequence_floor: int
    branched: int
    opening: int | None = None
    status: str | None = None
    handler: str | None = None

    @property
    def seal(self) -> bytes:
        """The digest of its columns."""
        return seal_of(
            [
                self.id,
                self.workflow_id,
                self.sequence_floor,
                self.branched,
                self.opening,
                self.status,
                self.handler,
            ]
        )


class Witness(NamedTuple):
    """A row by which a transaction is known again: the last numbered one that it added."""

    table: str
    number: int
    seal: bytes

    def is_in(self, connection: sqlite3.Connection) -> bool:
        """Whether the row can be read."""
        text = sql.SELECT_SEAL[self.table]
        found = connection.execute(text, (self.number,)).fetchone()
        return found is not None and found[0] == self.seal


class Transaction:
    """One transaction on one connection.

    What it has read stays true for its length: nobody else writes while it holds the write lock,
    and a reader sees one unchanging view.

    Attributes:
        memory: what is known without reading it again.
        given: the last sequence that was given out, by workflow.
        witness: the row by which the transaction is known again, once it added one.
        failure: what its COMMIT failed with. No other transaction is begun on the connection then.
    """

    def __init__(
        self,
        store: SqliteStore,
        connection: sqlite3.Connection,
        memory: WriterMemory | None = None,
    ) -> None:
        self.store = store
        self.connection = connection
        self.memory = memory or WriterMemory()
        self.failure: sqlite3.Error | None = None
        self.begin_anew()

    def begin_anew(self) -> None:
        """Begin another transaction on the same connection."""
        self.witness: Witness | None = None
        self.given: dict[str, int] = {}

    def one(self, text: str, key: Any, subject: object) -> Any:
        """Return the one row that a text selects, or ``None``; *subject* is what it is about."""
        try:
            return self.connection.execute(text, key).fetchone()
        except sqlite3.OperationalError as error:
            raise _named(error, subject) from error

    def each(self, text: str, key: Any, subject: object) -> Iterator[Any]:
        """Iterate over the rows that a text selects; *subject* is what they are about."""
        try:
            # Not `yield from`: that would close the cursor of a connection that is closed already,
            # when somebody keeps an error and with it this generator.
            for row in self.connection.execute(text, key):  # noqa: UP028
                yield row
        except sqlite3.OperationalError as error:
            raise _named(error, subject) from error

    def listed(
        self, text: str, key: Any, subject: object, on_damage: OnDamage | None
    ) -> Iterator[Any]:
        """Iterate as `each` does; somebody who is told of damage gets rows with bad text as well.

        No seal fits those.
        """
        if on_damage is None:
            yield from self.each(text, key, subject)
            return
        cursor = self.connection.execute(text, key)
        while True:
            with lenient_text(self.connection):
                row = cursor.fetchone()
            if row is None:
                return
            yield row

    def insert(self, text: str, table: str, row: Sequence[Any], *more: Any) -> None:
        """Add a numbered row, whose last column is its seal."""
        self.connection.execute(text, (*row, *more))
        self.witness = Witness(table, row[0], row[-1])

    def next_number(self) -> int:
        """Return the number of the next change of the store."""
        number = self.memory.next_number
        if number is None:
            (number,) = self.connection.execute(sql.NEXT_NUMBER).fetchone()
        self.memory.next_number = number + 1
        return int(number)

    def workflow(self, workflow_id: str) -> WorkflowRow | None:
        """Return the workflow's row; raises `CheckpointCorrupted` when it is damaged."""
        workflows = self.memory.workflows
        if workflow_id not in workflows and not recollect(self, workflow_id):
            workflows[workflow_id] = self._read_workflow(workflow_id)
        return workflows[workflow_id]

    def ensure_workflow(self, workflow_id: str) -> WorkflowRow:
        """Return the workflow's row, a new one if it had none."""
        row = self.workflow(workflow_id)
        if row is None:
            (number,) = self.connection.execute(sql.NEXT_WORKFLOW).fetchone()
            row = WorkflowRow(number, workflow_id, 0, 0)
            self.connection.execute(
                sql.INSERT_WORKFLOW, (number, workflow_id, 0, 0, None, None, None, row.seal)
            )
            self.memory.workflows[workflow_id] = row
        return row

    def ensure_known(self, checkpoint_id: CheckpointId) -> WorkflowRow:
        """Return the row of a checkpoint's workflow; raises `NotFound` when there is none."""
        row = self.workflow(checkpoint_id.workflow_id)
        if row is None:
            raise NotFound(f"checkpoint {checkpoint_id}")
        return row

    def save_workflow(self, row: WorkflowRow) -> None:
        """Keep what changed of a workflow's row."""
        values = (row.sequence_floor, row.branched, row.opening, row.status, row.handler)
        self.connection.execute(sql.UPDATE_WORKFLOW, (*values, row.seal, row.id))

    def head(self, row: WorkflowRow) -> Parent | None:
        """Return the newest checkpoint of a workflow; raises `CheckpointCorrupted`."""
        parents = self.memory.parents
        if row.id not in parents:
            subject = f"the head of {Scope(row.workflow_id)}"
            found = self.one(sql.SELECT_HEAD, (row.id,), subject)
            name = row.workflow_id
            parents[row.id] = Parent.of(intact_row(found, name), name) if found else None
        return parents[row.id]

    def name_of(self, number: int) -> str:
        """Return the name of the workflow that rows call by a number."""
        subject = f"the record of workflow number {number}"
        found = self.one(sql.SELECT_WORKFLOW_BY_NUMBER, (number,), subject)
        if found is None:
            raise CheckpointCorrupted(subject, "it is missing")
        return _intact_workflow(found, subject).workflow_id

    def set_head(self, row: WorkflowRow, head: Parent) -> None:
        """Note that *head* was just added to the workflow."""
        self.memory.parents[row.id] = head

    def _read_workflow(self, workflow_id: str) -> WorkflowRow | None:
        subject = f"the record of workflow {Scope(workflow_id)}"
        found = self.one(sql.SELECT_WORKFLOW, (workflow_id,), subject)
        return _intact_workflow(found, subject) if found is not None else None


def _intact_workflow(found: Sequence[Any], subject: object) -> WorkflowRow:
    row = WorkflowRow(*found[:-1])
    if row.seal != found[-1]:
        raise CheckpointCorrupted(subject, "its seal does not match")
    return row


def _named(error: sqlite3.OperationalError, subject: object) -> Exception:
    if is_undecodable(error):
        return CheckpointCorrupted(subject, f"it holds text that is not text ({error})")
    return error
