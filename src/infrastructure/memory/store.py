"""The store in memory: one lock, and an undo log a transaction."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from ...domain.errors import InvalidRequest, StoreClosed
from ...domain.json_value import JsonValue
from ...domain.ports import Codec, StoreStats, UnitOfWork, Written
from ...domain.verification import VerifyReport
from .checkpoint_repository import MemoryCheckpointRepository
from .logs import MemoryAttemptLog, MemoryEventLog, MemoryLeaseStore, MemorySequences
from .retention_store import MemoryRetentionStore
from .tables import Tables, UndoLog
from .transfer import MemoryTransfer

T = TypeVar("T")


class MemoryUnitOfWork:
    """What one transaction works on."""

    def __init__(self, store: MemoryStore, undo: UndoLog) -> None:
        tables = store.tables
        self.checkpoints = MemoryCheckpointRepository(store, tables, undo)
        self.sequences = MemorySequences(tables, undo)
        self.leases = MemoryLeaseStore(tables, undo)
        self.attempts = MemoryAttemptLog(tables, undo)
        self.events = MemoryEventLog(tables, undo)
        self.retention = MemoryRetentionStore(self.checkpoints, tables, undo)
        self.transfer = MemoryTransfer(self.checkpoints, tables, undo)


class MemoryStore:
    """A store that lives as long as the process. Durable as far as memory is."""

    target = "memory:"

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.tables = Tables()
        # Reading what a checkpoint holds may happen within a transaction of the same thread.
        self._lock = threading.RLock()
        self._closed = False

    def write(self, work: Callable[[UnitOfWork], T], *, timeout: float | None = None) -> T:
        """Run *work* as one transaction and return what it returns."""
        del timeout  # memory gives no trouble to wait out
        with self._lock:
            self._require_open()
            undo = UndoLog()
            try:
                return work(MemoryUnitOfWork(self, undo))
            except BaseException:
                undo.roll_back()
                raise

    def write_each(
        self, works: Sequence[Callable[[UnitOfWork], T]], *, timeout: float | None = None
    ) -> list[Written[T]]:
        """Run each as a transaction of its own; return what became of each."""
        written: list[Written[T]] = []
        for work in works:
            try:
                written.append(Written(self.write(work, timeout=timeout)))
            except Exception as error:  # noqa: BLE001 - each caller learns of its own outcome
                written.append(Written(error=error))
        return written

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run *work* on one unchanging view of the store."""
        with self._lock:
            self._require_open()
            undo = UndoLog()
            try:
                return work(MemoryUnitOfWork(self, undo))
            finally:
                undo.roll_back()  # whatever it wrote: it must not

    def give_back(self) -> bool:
        """Do nothing: Python does."""
        return False

    def verify(self, *, repair: bool = False, at: datetime) -> VerifyReport:
        """Count what is there: memory has no damage that could be told."""
        del repair, at
        found = self.stats()
        return VerifyReport(
            self.target,
            checked={
                "workflows": found.workflows,
                "checkpoints": found.checkpoints,
                "attempts": found.attempts,
                "events": found.events,
            },
        )

    def backup(self, path: Path) -> None:
        """Refuse: there is no file."""
        raise InvalidRequest(f"a store in memory cannot be backed up to {path}; it has no file")

    def stats(self) -> StoreStats:
        """Return how much the store holds."""

        def count(uow: UnitOfWork) -> StoreStats:
            tables = self.tables
            checkpoints = sum(map(len, tables.checkpoints.values()))
            statuses = Counter(
                each.status.value if each.status else "record"
                for each in uow.checkpoints.summaries()
            )
            return StoreStats(
                self.target,
                statuses.total(),
                checkpoints,
                checkpoints + len(tables.events),
                sum(map(len, tables.attempts.values())),
                dict(statuses),
                size=0,
                free=0,
            )

        return self.read(count)

    def in_force(self) -> Mapping[str, JsonValue]:
        """Return what is in force: nothing outlives the process."""
        return {"durability": "none", "warnings": []}

    def close(self) -> None:
        """Refuse everything from now on."""
        with self._lock:
            self._closed = True

    def before_fork(self) -> None:
        """Wait for the transaction that is under way."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Go on with the copy that came along."""
        self._lock = threading.RLock()

    def _require_open(self) -> None:
        if self._closed:
            raise StoreClosed(self.target)
