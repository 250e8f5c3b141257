"""Stores and engines that are made for one test, and gone after it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..domain.errors import InvalidRequest
from ..domain.ports import Clock
from ..domain.wording import known_names
from ..interface.engine import Engine
from ..interface.opening import open as open_engine
from ..interface.registry import Registry
from ..interface.settings import Settings

_IN_MEMORY = Path("/dev/shm")  # noqa: S108
_ROOM = 256 << 20

STORES = ("sqlite", "json", "memory")


def target_in(folder: Path, store: str) -> str:
    """Return the target of a store of that kind in *folder*; nothing is made yet."""
    if store not in STORES:
        raise InvalidRequest(f"there is no store {store!r} ({known_names(str(store), STORES)})")
    if store == "memory":
        return "memory:"
    return f"json:{folder / 'store'}" if store == "json" else str(folder / "store.db")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder that is gone after the block; in memory where the system has room there."""
    # What need not survive a power cut need not wait for a disk.
    has_room = _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free > _ROOM
    base = _IN_MEMORY if has_room and "TMPDIR" not in os.environ else None
    with tempfile.TemporaryDirectory(prefix="holdfast-", dir=base) as folder:
        yield Path(folder)


@contextmanager
def fresh_store(store: str = "sqlite") -> Iterator[str]:
    """Give the target of a store that is not there yet; after the block it is gone.

    Args:
        store: ``"sqlite"``, ``"json"`` or ``"memory"``.

    >>> import holdfast
    >>> with fresh_store("json") as target, holdfast.open(target) as engine:
    ...     print(engine.checkpoint("nightly").id)
    nightly@1
    """
    with scratch_folder() as folder:
        yield target_in(folder, store)


@contextmanager
def fresh_engine(
    store: str = "memory",
    *,
    registry: Registry | None = None,
    clock: Clock | None = None,
    settings: Settings | Mapping[str, float] | None = None,
) -> Iterator[Engine]:
    """Give an engine on a store that nobody else sees; after the block both are gone.

    Args:
        store: ``"sqlite"``, ``"json"`` or ``"memory"``.
        clock: a `ManualClock`, say, to turn by hand.

    >>> from datetime import timedelta
    >>> from holdfast.testing import ManualClock
    >>> clock = ManualClock()
    >>> with fresh_engine(clock=clock) as engine:
    ...     opened = engine.checkpoint("nightly", resume_handler="rebuild")
    ...     clock.advance(timedelta(minutes=31))
    ...     print([each.workflow_id for each in engine.stale()])
    ['nightly']
    """
    with fresh_store(store) as target:
        # What is gone after the test need not survive a power cut.
        opened = open_engine(
            target, registry=registry, clock=clock, settings=settings, durability="process"
        )
        with opened as engine:
            yield engine
