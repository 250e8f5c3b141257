"""What becomes of engines in a forked child: they open connections of their own."""

from __future__ import annotations

import os
import weakref

from ..application.runs.lease_keeper import LeaseKeeper
from ..domain.ports import Store

_keepers: weakref.WeakSet[LeaseKeeper] = weakref.WeakSet()
_stores: weakref.WeakSet[Store] = weakref.WeakSet()


def survive_forks(store: Store, keeper: LeaseKeeper) -> None:
    """Let a forked child use neither the parent's connections nor its leases."""
    _stores.add(store)
    _keepers.add(keeper)


def _start_afresh() -> None:
    for store in list(_stores):
        store.after_fork()
    for keeper in list(_keepers):
        keeper.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_afresh)
