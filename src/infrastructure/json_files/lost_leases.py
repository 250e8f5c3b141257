"""What stands for a lease whose file is gone: its epoch was given out and is not given again."""

from __future__ import annotations

from datetime import UTC, datetime

from ...domain.lease import Lease, Owner
from ...domain.moment import Moment
from . import layout
from .pointer import pointer_of
from .traces import last_attempt_path, traces_of
from .view import View

_LONG_AGO = Moment(datetime(1970, 1, 1, tzinfo=UTC), None, 0)
_NOBODY = Owner("an unknown host", None, None, 0, None)


def lost_lease(view: View, resource: str) -> Lease | None:
    """Return a lease that was given up, above every epoch that was seen; ``None`` if none was.

    So whoever held the lost one is fenced, and whoever comes next gets an epoch of its own.
    """
    epoch = highest_epoch(view, resource)
    if epoch == 0:
        return None
    return Lease(resource, epoch + 1, None, _NOBODY, 0.0, _LONG_AGO.wall, _LONG_AGO)


def highest_epoch(view: View, resource: str) -> int:
    """Return the highest epoch that anything of a workflow mentions; 0 for none."""
    pointer = pointer_of(view, resource)
    if pointer is not None and pointer.epoch == 0 and last_attempt_path(view, resource) is None:
        return 0  # nobody ever took it: the usual case, and not worth reading all events
    if pointer is None and not view.names(layout.workflow(resource)):
        return 0
    seen = traces_of(view, resource).epoch
    return max(seen, pointer.epoch if pointer else 0)
