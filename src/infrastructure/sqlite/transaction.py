"""What the repositories of one transaction share."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import CheckpointCorrupted
from ...domain.scope import Scope
from . import statements as sql
from .rows import seal_of

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


@dataclass(frozen=True, slots=True)
class Head:
    """The newest checkpoint of a workflow, as far as the next one needs it."""

    id: CheckpointId
    link: bytes


class Transaction:
    """One transaction on one connection.

    What it has read stays true for its length: nobody else writes while it holds the write lock,
    and a reader sees one unchanging view.
    """

    def __init__(self, store: SqliteStore, connection: sqlite3.Connection) -> None:
        self.store = store
        self.connection = connection
        self._workflows: dict[str, WorkflowRow | None] = {}
        self._heads: dict[int, Head | None] = {}
        self._next_number: int | None = None

    def next_number(self) -> int:
        """Return the number of the next change of the store."""
        if self._next_number is None:
            (self._next_number,) = self.connection.execute(sql.NEXT_NUMBER).fetchone()
        number = self._next_number
        self._next_number = number + 1
        return number

    def workflow(self, workflow_id: str) -> WorkflowRow | None:
        """Return the workflow's row; raises `CheckpointCorrupted` when it is damaged."""
        if workflow_id not in self._workflows:
            self._workflows[workflow_id] = self._read_workflow(workflow_id)
        return self._workflows[workflow_id]

    def ensure_workflow(self, workflow_id: str) -> WorkflowRow:
        """Return the workflow's row, a new one if it had none."""
        row = self.workflow(workflow_id)
        if row is None:
            (number,) = self.connection.execute(sql.NEXT_WORKFLOW).fetchone()
            row = WorkflowRow(number, workflow_id, 0, 0)
            self.connection.execute(
                sql.INSERT_WORKFLOW, (number, workflow_id, 0, 0, None, None, None, row.seal)
            )
            self._workflows[workflow_id] = row
        return row

    def save_workflow(self, row: WorkflowRow) -> None:
        """Keep what changed of a workflow's row."""
        values = (row.sequence_floor, row.branched, row.opening, row.status, row.handler)
        self.connection.execute(sql.UPDATE_WORKFLOW, (*values, row.seal, row.id))

    def head(self, row: WorkflowRow) -> Head | None:
        """Return the newest checkpoint of a workflow."""
        if row.id not in self._heads:
            found = self.connection.execute(sql.SELECT_HEAD, (row.id,)).fetchone()
            self._heads[row.id] = (
                Head(CheckpointId(row.workflow_id, found[1], found[2], found[0]), found[3])
                if found
                else None
            )
        return self._heads[row.id]

    def set_head(self, row: WorkflowRow, head: Head) -> None:
        """Note that *head* was just added to the workflow."""
        self._heads[row.id] = head

    def _read_workflow(self, workflow_id: str) -> WorkflowRow | None:
        found = self.connection.execute(sql.SELECT_WORKFLOW, (workflow_id,)).fetchone()
        if found is None:
            return None
        row = WorkflowRow(*found[:-1])
        if row.seal != found[-1]:
            raise CheckpointCorrupted(
                f"the record of workflow {Scope(workflow_id)}", "its seal does not match"
            )
        return row
