"""The keeper of leases of an engine, loaded when the first lease is taken."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..application.dispatcher import Dispatcher

if TYPE_CHECKING:
    from ..application.runs.lease_keeper import LeaseKeeper
    from ..application.runs.session import Session


class Keepers:
    """Makes the keeper of leases when it is first asked for: whoever only looks has none."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._lock = threading.Lock()
        self._keeper: LeaseKeeper | None = None

    def get(self) -> LeaseKeeper:
        """Return the keeper; there is one."""
        if self._keeper is None:
            from ..application.runs.lease_keeper import LeaseKeeper

            with self._lock:
                if self._keeper is None:
                    self._keeper = LeaseKeeper(self._dispatcher)
        return self._keeper

    def sessions(self) -> list[Session]:
        """Return the sessions whose leases are kept."""
        return self._keeper.sessions() if self._keeper is not None else []

    def after_fork(self) -> None:
        """Forget every lease: they belong to the parent."""
        self._lock = threading.Lock()
        if self._keeper is not None:
            self._keeper.after_fork()
