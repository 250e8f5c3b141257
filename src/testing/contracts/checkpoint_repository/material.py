"""What the tests of this suite work with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ....domain.checkpoint import Checkpoint
from ....domain.checkpoint_id import CheckpointId
from ....domain.checkpoint_status import CheckpointStatus
from ....domain.ports import Store

Save = Callable[..., Checkpoint]


FieldsOf = Callable[[Checkpoint], dict[str, Any]]


S = CheckpointStatus


AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


LATER = AT + timedelta(microseconds=1)


class Forgetting(ABC):
    """A suite that needs a checkpoint to go missing."""

    @abstractmethod
    def forget(self, store: Store, checkpoint_id: CheckpointId) -> None:
        """Take a checkpoint away behind the repository's back."""
