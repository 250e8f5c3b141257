"""What one transaction on files works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .checkpoint_repository import JsonCheckpointRepository
from .event_log import JsonEventLog
from .logs import JsonAttemptLog, JsonLeaseStore, JsonSequences
from .retention_store import JsonRetentionStore
from .transfer import JsonTransfer
from .view import View

if TYPE_CHECKING:
    from .store import JsonFileStore


class JsonUnitOfWork:
    """What one transaction works on."""

    def __init__(self, store: JsonFileStore, view: View) -> None:
        self.checkpoints = JsonCheckpointRepository(store, view)
        self.sequences = JsonSequences(view)
        self.leases = JsonLeaseStore(view)
        self.attempts = JsonAttemptLog(view)
        self.events = JsonEventLog(view)
        self.retention = JsonRetentionStore(view)
        self.transfer = JsonTransfer(view)
