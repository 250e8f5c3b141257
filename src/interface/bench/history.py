"""A store with a workflow of some depth, made once, and fresh copies of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from .options import Options
from .states import HANDLER, WORKFLOW, Changing, open_for


def write_history(path: Path, options: Options, advance: Callable[[], None]) -> None:
    """Write a workflow as a crash leaves it: in flight, its state whole at first, then patched.

    It is not synced while it is made: only what comes later is measured.
    """
    changing = Changing(options.state_size)
    with open_for(str(path), options.state_size, "process") as engine:
        # Naming a handler opens the workflow with a checkpoint of its own.
        engine.checkpoint(WORKFLOW, state=changing.next(), resume_handler=HANDLER)
        advance()
        for patch in islice(changing.patches(), max(0, options.depth - 2)):
            engine.checkpoint(WORKFLOW, patch=patch)
            advance()


@contextmanager
def fresh_copy(history: Path) -> Iterator[Path]:
    """Give a copy of a store that nobody has open; removed afterwards."""
    folder = history.with_name("round")
    folder.mkdir()
    try:
        for each in history.parent.glob(f"{history.name}*"):
            shutil.copyfile(each, folder / each.name)
        yield folder / history.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)
