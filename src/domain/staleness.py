"""When a workflow counts as abandoned: supposedly in flight, and nobody is carrying it on."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from .lease import Standing

DEFAULT_THRESHOLD = timedelta(minutes=30)


class StaleBecause(StrEnum):
    """Why a workflow counts as stale."""

    LEASE_RAN_OUT = "its lease ran out"
    GIVEN_UP = "its lease was given up"
    OWNER_GONE = "its owner is gone"
    WAIT_IS_OVER = "it was answered, or its time to wait is over"
    SILENT = "it was never under a lease and is silent"


def stale_because(
    standing: Standing | None, last_sign: datetime, now: datetime, threshold: timedelta
) -> StaleBecause | None:
    """Return why a workflow in flight is stale, or ``None`` when it is not.

    Args:
        standing: how its lease stands; ``None`` when it never had one.
        last_sign: when its newest checkpoint, or heartbeat, was written.
        threshold: how long one that never had a lease may be silent.
    """
    if standing is None:
        return StaleBecause.SILENT if now - last_sign > threshold else None
    return _BY_STANDING.get(standing)


_BY_STANDING = {
    Standing.RAN_OUT: StaleBecause.LEASE_RAN_OUT,
    Standing.GIVEN_UP: StaleBecause.GIVEN_UP,
    Standing.OWNER_GONE: StaleBecause.OWNER_GONE,
}
