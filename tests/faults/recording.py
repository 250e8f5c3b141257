"""A program: goes through scenarios while the disk is watched, each on a store of its own.

    python -m tests.faults.recording KIND FOLDER DURABILITY SCENARIO …

leaves the store of each in ``FOLDER/SCENARIO`` and the record of it in ``FOLDER/SCENARIO.record``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.infrastructure.json_files.store import JsonFileStore
from holdfast.infrastructure.sqlite.writer import Writer

from .disk import Disk
from .patched_disk import PatchedDisk
from .preloaded_disk import PreloadedDisk
from .scenarios import SCENARIOS, Stage


def target_in(folder: Path, kind: str) -> str:
    """Return the target of a scenario's store."""
    return f"json:{folder / 'files'}" if kind == "json" else str(folder / "store.db")


@contextmanager
def watching(kind: str) -> Iterator[Disk]:
    """Give what stands between the stores of a kind and the disk, in this process."""
    if kind == "json":
        with PatchedDisk().patched() as disk:
            yield disk
    else:
        yield PreloadedDisk()


def perform(
    disk: Disk, kind: str, folder: Path, durability: str, scenario: str, name: str = ""
) -> None:
    """Go through a scenario, under a record; what is left has the scenario's name, or *name*."""
    place = folder / (name or scenario)
    place.mkdir()
    disk.watch(place)
    disk.record(folder / f"{place.name}.record")
    SCENARIOS[scenario](Stage(disk, target_in(place, kind), durability))
    disk.record(None)


def mark_commits(disk: Disk, kind: str) -> None:
    """Put it into the record where a transaction is about to be made durable, and where it is.

    Under the lock of whoever writes: the disk holds whole transactions at each of the two.
    """
    owner: Any = JsonFileStore if kind == "json" else Writer
    name = "commit" if kind == "json" else "_commit"
    commit: Callable[..., None] = getattr(owner, name)

    def marked(self: Any, *arguments: Any) -> None:
        disk.mark("begins")
        commit(self, *arguments)
        disk.mark("committed")

    setattr(owner, name, marked)


def _main(kind: str, folder: str, durability: str, *scenarios: str) -> None:
    with watching(kind) as disk:
        mark_commits(disk, kind)
        for each in scenarios:
            perform(disk, kind, Path(folder), durability, each)


if __name__ == "__main__":
    _main(*sys.argv[1:])
