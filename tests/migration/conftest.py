"""Stores of older schemas, as their versions left them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.events import DomainEvent, EventKind
from holdfast.domain.payload import JsonText, Payload
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite.connection import StoreFile
from holdfast.infrastructure.sqlite.format import APPLICATION_ID
from holdfast.infrastructure.sqlite.store import SqliteStore
from holdfast.infrastructure.sqlite.transaction import Transaction
from holdfast.infrastructure.sqlite.unit_of_work import SqliteUnitOfWork
from holdfast.infrastructure.sqlite.upgrade import run_revisions

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)

MakeStore = Callable[[Path, int], None]


@pytest.fixture(scope="session")
def make_store_of() -> MakeStore:
    """Make a closed store of a schema, with a workflow ``wf`` of three checkpoints in it."""
    return _make


def _make(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA auto_vacuum = INCREMENTAL")
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("BEGIN IMMEDIATE")
        run_revisions(raw, to=f"{version:04d}")
        raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        raw.execute(f"PRAGMA user_version = {version}")
        # What these write has been the same since schema 1; once it is not, old stores are to be
        # kept as files.
        store = SqliteStore(StoreFile(path), JsonCodec(), write_timeout=0.0)
        _fill(SqliteUnitOfWork(Transaction(store, raw)))
        raw.execute("COMMIT")


def _fill(uow: SqliteUnitOfWork) -> None:
    parent: CheckpointId | None = None
    about = [
        ("workflow_start", None, b'{"n":1}'),
        ("stage_start", "s", b'{"of":"stage"}'),
        ("stage_complete", "s", None),
    ]
    for sequence, (kind, stage, state) in enumerate(about, start=1):
        type_ = CheckpointType(kind)
        checkpoint = Checkpoint(
            CheckpointId("wf", stage, None, sequence),
            type_,
            CheckpointStatus.ACTIVE if type_.opens else CheckpointStatus.COMPLETED,
            AT,
            AT,
            parent,
            name=f"name {sequence}",
            resume_handler="handler",
            metadata={"k": sequence},
        )
        uow.checkpoints.add(checkpoint, Payload(state=JsonText(state) if state else None))
        parent = checkpoint.id
    uow.events.append(DomainEvent(EventKind.RESUMED, "wf", AT, detail={"k": 1}))
