"""What one transaction on SQLite works on."""

from __future__ import annotations

from .checkpoint_repository import SqliteCheckpointRepository
from .logs import SqliteAttemptLog, SqliteEventLog, SqliteLeaseStore, SqliteSequences
from .transaction import Transaction


class SqliteUnitOfWork:
    """What one transaction works on."""

    def __init__(self, transaction: Transaction) -> None:
        self.checkpoints = SqliteCheckpointRepository(transaction)
        self.sequences = SqliteSequences(transaction)
        self.leases = SqliteLeaseStore(transaction)
        self.attempts = SqliteAttemptLog(transaction)
        self.events = SqliteEventLog(transaction)
