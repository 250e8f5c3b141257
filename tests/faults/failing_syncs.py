"""A program: saves a few checkpoints, under a record, while one sync fails; and again for the next.

    python -m tests.faults.failing_syncs KIND FOLDER

leaves ``FOLDER/NAME`` and ``FOLDER/NAME.record`` for each. The record says what was asked, and what
it was said to have come to: ``saved``, ``refused`` or ``unknown``.
"""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import holdfast

from .disk import Disk, StepKind
from .recording import target_in, watching

SAVES = ("a", "b", "c", "d")


def perform(disk: Disk, kind: str, folder: Path, nth: int, *, waits: bool, reads: bool) -> bool:
    """Save them, with the nth sync failing; return whether there was one.

    Args:
        waits: whether trouble is waited out; else it is told at once.
        reads: whether somebody has read before, and so keeps the store open.
    """
    place = folder / f"{nth}-{waits}-{reads}"
    place.mkdir()
    disk.watch(place)
    disk.record(folder / f"{place.name}.record")
    settings = {"write_timeout": 5.0 if waits else 0.0}
    with holdfast.open(target_in(place, kind), settings=settings) as engine:
        engine.checkpoint("log", patch={"first": 1})
        if reads:
            engine.latest("log")
        disk.mark("saved first")
        disk.fail(StepKind.SYNC, nth, errno.EIO)
        for name in SAVES:
            disk.mark(f"asked {name}")
            try:
                engine.checkpoint("log", patch={name: 1})
            except holdfast.StorageUnavailable as told:
                disk.mark(f"{'unknown' if told.outcome == 'unknown' else 'refused'} {name}")
            else:
                disk.mark(f"saved {name}")
    is_reached = disk.steps(StepKind.SYNC) >= nth
    disk.heal()
    disk.record(None)
    return is_reached


def _main(kind: str, folder: str) -> None:
    with watching(kind) as disk:
        for waits in (True, False):
            for reads in (True, False):
                nth = 1
                while perform(disk, kind, Path(folder), nth, waits=waits, reads=reads):
                    nth += 1


if __name__ == "__main__":
    _main(*sys.argv[1:])
