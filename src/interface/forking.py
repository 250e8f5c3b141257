"""What becomes of engines when the process forks: each goes its own way."""

from __future__ import annotations

import os
import weakref

from ..domain.ports import Store
from .keepers import Keepers

_keepers: weakref.WeakSet[Keepers] = weakref.WeakSet()
_stores: weakref.WeakSet[Store] = weakref.WeakSet()
_forking: list[Store] = []


def survive_forks(store: Store, keepers: Keepers) -> None:
    """Let a forked child use neither the parent's connections nor its leases."""
    _stores.add(store)
    _keepers.add(keepers)


def _before() -> None:
    _forking[:] = _stores
    for store in _forking:
        store.before_fork()


def _after_in_parent() -> None:
    for store in _forking:
        store.after_fork_in_parent()
    _forking.clear()


def _after_in_child() -> None:
    for store in _forking:
        store.after_fork_in_child()
    _forking.clear()
    for keeper in list(_keepers):
        keeper.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
