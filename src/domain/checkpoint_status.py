"""The states of a checkpoint, and the one table of what may follow what."""

from __future__ import annotations

from enum import StrEnum


class CheckpointStatus(StrEnum):
    """The state of a checkpoint, and so of the scope that it opened.

    >>> CheckpointStatus("killed").is_final
    True
    """

    ACTIVE = "active"
    RECOVERING = "recovering"
    WAITING = "waiting"
    FAILED = "failed"
    COMPLETED = "completed"
    KILLED = "killed"

    def may_become(self, other: CheckpointStatus) -> bool:
        """Whether the transition table has the step from this state to *other*."""
        return other in TRANSITIONS[self]

    @property
    def is_in_flight(self) -> bool:
        """Whether somebody is supposed to be carrying it on."""
        return self in (CheckpointStatus.ACTIVE, CheckpointStatus.RECOVERING)

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return not TRANSITIONS[self]


_S = CheckpointStatus

TRANSITIONS: dict[CheckpointStatus, frozenset[CheckpointStatus]] = {
    _S.ACTIVE: frozenset([_S.COMPLETED, _S.FAILED, _S.RECOVERING, _S.WAITING, _S.KILLED]),
    _S.FAILED: frozenset([_S.RECOVERING, _S.KILLED]),
    # To itself: a newer epoch takes over.
    _S.RECOVERING: frozenset([_S.COMPLETED, _S.FAILED, _S.WAITING, _S.KILLED, _S.RECOVERING]),
    _S.WAITING: frozenset([_S.RECOVERING, _S.KILLED]),
    _S.COMPLETED: frozenset(),
    _S.KILLED: frozenset(),
}

UNFINISHED = tuple(status for status in CheckpointStatus if TRANSITIONS[status])
