"""What one transaction on SQLite works on."""

from __future__ import annotations

from .checkpoint_repository import SqliteCheckpointRepository
from .logs import SqliteAttemptLog, SqliteEventLog, SqliteLeaseStore, SqliteSequences
from .retention_store import SqliteRetentionStore
from .transaction import Transaction
from .transfer import SqliteTransfer


class SqliteUnitOfWork:
    """What one transaction works on."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self.checkpoints = SqliteCheckpointRepository(transaction)
        self.sequences = SqliteSequences(transaction)
        self.leases = SqliteLeaseStore(transaction)
        self.attempts = SqliteAttemptLog(transaction)
        self.events = SqliteEventLog(transaction)
        self.transfer = SqliteTransfer(transaction, self.checkpoints)
        self._transaction = transaction
        self._retention: SqliteRetentionStore | None = None

    @property
    def retention(self) -> SqliteRetentionStore:
        """What purging asks of the store; made when it is asked for, which is seldom."""
        if self._retention is None:
            self._retention = SqliteRetentionStore(self._transaction)
        return self._retention
