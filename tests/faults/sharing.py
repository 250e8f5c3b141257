"""A program: eight threads save at once and share commits, while the disk gives trouble.

    python -m tests.faults.sharing KIND FOLDER CASES

Each thread learns its own outcome, which must be true. Prints as JSON what they came to.
"""

from __future__ import annotations

import errno
import json
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import holdfast

from .disk import Disk, StepKind
from .recording import target_in, watching

THREADS = 8
SAVES = 3  # a thread
PATIENCE = 5.0
# The first steps of the most crowded commits, and beyond.
_STEPS = {"sqlite": 60, "json": 120}


class Sharing:
    """Eight threads on one engine, once for each trouble."""

    def __init__(self, disk: Disk, kind: str, folder: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._disk = disk
        self._kind = kind
        self._folder = folder

    def meet(self, case: int) -> None:
        """Let them save with one trouble, drawn for that case; require what each was told."""
        draw = Random(case)
        lasting = draw.random() < 0.5
        kind = draw.choice(list(StepKind))
        place = self._folder / str(case)
        place.mkdir()
        settings = {"write_timeout": PATIENCE}
        with holdfast.open(target_in(place, self._kind), settings=settings) as engine:
            store: Any = engine._kernel.store
            engine.checkpoint("log", name="before")
            self._disk.watch(place)
            store._write_timeout = 0.05 if lasting else PATIENCE
            nth = draw.randint(1, _STEPS[self._kind] // (1 if kind is StepKind.WRITE else 3))
            error = draw.choice([errno.EIO, errno.ENOSPC])
            self._disk.fail(kind, nth, error, lasting=lasting)
            told = self._save_all(engine)
            self._disk.heal()
            store._write_timeout = PATIENCE
            self._require(engine, told)
            engine.checkpoint("log", name="after")
            assert engine.verify().intact
        self.counts["cases"] += 1

    def _save_all(self, engine: holdfast.Engine) -> dict[str, str]:
        told: dict[str, str] = {}
        ready = threading.Barrier(THREADS)

        def save(thread: int) -> None:
            ready.wait()
            for number in range(SAVES):
                name = f"{thread}-{number}"
                try:
                    engine.checkpoint(f"w{thread % 3}", name=name, patch={name: 1})
                except holdfast.StorageUnavailable as trouble:
                    told[name] = trouble.outcome
                else:
                    told[name] = "saved"

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(save, range(THREADS)))
        return told

    def _require(self, engine: holdfast.Engine, told: dict[str, str]) -> None:
        there = Counter(each.name for each in engine.list(limit=1000))
        contexts: dict[str, Any] = {}
        for each in engine.workflows():
            contexts |= engine.context(each.workflow_id).workflow_state
        for name, outcome in told.items():
            found = there[name]
            assert found == (name in contexts), f"{name} is there in part"
            assert found < 2, f"{name} was saved twice"
            assert outcome == "unknown" or found == (outcome == "saved"), (
                f"{name} was told {outcome}, and is there {found} times"
            )
            self.counts[outcome] += 1


def _main(kind: str, folder: str, cases: str) -> None:
    with watching(kind) as disk:
        sharing = Sharing(disk, kind, Path(folder))
        for case in range(int(cases)):
            try:
                sharing.meet(case)
            except Exception as error:
                error.add_note(f"case {case}")
                raise
    print(json.dumps(sharing.counts))


if __name__ == "__main__":
    _main(*sys.argv[1:])
