"""A program: runs the errands, with trouble at every step of them, one after the other.

    python -m tests.faults.faulting KIND FOLDER SHARE

prints as JSON how many troubles there were, and what they came to. Of each sort of trouble a share
is tried, drawn with a fixed seed.
"""

from __future__ import annotations

import errno
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import holdfast

from .content import content_of
from .disk import Disk, StepKind
from .errands import ERRANDS, Errand, app, prepare
from .recording import target_in, watching

PATIENCE = 5.0


class Trouble(NamedTuple):
    """What goes wrong: the nth step of a kind, once, or it and all that follow."""

    kind: StepKind
    nth: int
    error: int
    lasting: bool


# A full disk is told of by writes, and, where space is found late, by syncs.
_SORTS = [
    (kind, error, lasting)
    for kind in StepKind
    for error in (errno.EIO, errno.ENOSPC)
    for lasting in (False, True)
]


class Faulting:
    """Runs the errands on copies of one store."""

    def __init__(self, disk: Disk, kind: str, folder: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._disk = disk
        self._kind = kind
        self._template, self._place = folder / "template", folder / "store"
        self._template.mkdir()
        with self._open(self._template) as engine:
            prepare(engine)

    def troubles(self, share: float) -> Iterator[Trouble]:
        """Iterate over a share of all that can go wrong, the first and the last step included."""
        draw = Random("troubles")
        steps = self._steps()
        for kind, error, lasting in _SORTS:
            for nth in range(1, steps[kind] + 1):
                if nth in (1, steps[kind]) or draw.random() < share:
                    yield Trouble(kind, nth, error, lasting)

    def meet(self, trouble: Trouble) -> None:
        """Run the errands with that trouble; require that each came to what was said of it."""
        self._copy()
        with self._open(self._place) as engine:
            store: Any = engine._kernel.store
            # Lasting trouble is not waited out, for it would not go; what passes at once is.
            store._write_timeout = 0.0 if trouble.lasting else PATIENCE
            self._disk.watch(self._place)
            self._disk.fail(trouble.kind, trouble.nth, trouble.error, lasting=trouble.lasting)
            said = [(errand, self._attempt(errand, engine, trouble)) for errand in ERRANDS]
            self._disk.heal()
            store._write_timeout = PATIENCE
            for errand, outcome in said:
                found = errand.look(engine)
                assert outcome == "unknown" or found == (outcome == "done"), (
                    f"{errand.name} was said to be {outcome}, and it is {found} that it is there"
                )
            self._go_on(engine)
            told = content_of(engine)
        with self._open(self._place) as engine:
            assert content_of(engine) == told
        self.counts["troubles"] += 1

    def _attempt(self, errand: Errand, engine: holdfast.Engine, trouble: Trouble) -> str:
        try:
            errand.run(engine)
        except holdfast.StorageUnavailable as told:
            if not trouble.lasting:
                raise  # what passes at once is waited out
            # What is more than one transaction may have got some way.
            whole = errand.name not in ("run", "purge")
            outcome = told.outcome if whole else "unknown"
        else:
            outcome = "done"
        self.counts[outcome] += 1
        return outcome

    def _go_on(self, engine: holdfast.Engine) -> None:
        engine.checkpoint("log", name="after", metadata={"trouble": "over"})
        assert engine.start("pair", workflow_id="p-1") == "AB"
        engine.purge(workflow="old", keep=1)
        report = engine.verify()
        assert report.intact, report

    def _steps(self) -> dict[StepKind, int]:
        self._copy()
        with self._open(self._place) as engine:
            self._disk.watch(self._place)
            self._disk.heal()
            for errand in ERRANDS:
                errand.run(engine)
                assert errand.look(engine), errand.name
            return {kind: self._disk.steps(kind) for kind in StepKind}

    def _copy(self) -> None:
        shutil.rmtree(self._place, ignore_errors=True)
        shutil.copytree(self._template, self._place)

    def _open(self, place: Path) -> holdfast.Engine:
        settings = {"write_timeout": PATIENCE}
        return holdfast.open(target_in(place, self._kind), registry=app, settings=settings)


def _main(kind: str, folder: str, share: str) -> None:
    with watching(kind) as disk:
        faulting = Faulting(disk, kind, Path(folder))
        for trouble in faulting.troubles(float(share)):
            try:
                faulting.meet(trouble)
            except Exception as error:
                error.add_note(f"{trouble}")
                raise
    print(json.dumps(faulting.counts))


if __name__ == "__main__":
    _main(*sys.argv[1:])
