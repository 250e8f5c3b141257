"""Long histories, made quickly: not synced while they are made, since only reading is measured."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import holdfast

from ..workload import patches


def patched(path: Path, depth: int, *, workflow: str = "run", handler: str | None = None) -> None:
    """Write a chain of *depth* checkpoints, each a patch of 2 KB to a state of ten such slots."""
    with holdfast.open(path, durability="process") as engine:
        # The one that names a handler is written together with the workflow's opening.
        first = 2 if handler else 1
        engine.checkpoint(workflow, state={"step": 0}, resume_handler=handler)
        for patch in islice(patches(2_000), depth - first):
            engine.checkpoint(workflow, patch=patch)
