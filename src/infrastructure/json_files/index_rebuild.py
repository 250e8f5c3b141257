"""Makes the index anew from the files that it speaks of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ...domain.errors import Damaged
from . import layout
from .checkpoint_file import read_file
from .file_operations import Files
from .index import Entry, Index, parts_of, whole
from .journal import Effect
from .traces import EVENTS, all_event_paths
from .unfinished import workflow_ids
from .view import View

# Numbers are taken without gaps, so that those of damaged files are not far above the others.
_MARGIN = layout.NUMBERS_A_FOLDER


def index_made_anew(folder: Path, files: Files) -> list[Effect]:
    """Return what makes the index again; numbers go on from above every one that is found."""
    return index_of(View(folder, files, Index(folder, files)))


def index_of(view: View) -> list[Effect]:
    """Return what makes an index of what a view sees, without a look at the one there is."""
    found: list[Entry] = []
    damaged = 0
    for workflow_id in workflow_ids(view):
        for named in view.checkpoint_files(workflow_id):
            try:
                stored = read_file(view, named)
            except Damaged:
                damaged += 1
            else:
                found.append(Entry(stored.number, "created", str(stored.checkpoint.id)))
    for name, number, file in _events(view):
        found.append(Entry(number, "event", layout.scope_text(name), file))
    found.sort()
    last = found[-1].number if found else 0
    next_number = last + 1 + (_MARGIN if damaged else 0)
    return list(whole(parts_of(found, next_number)))


def _events(view: View) -> Iterator[tuple[str, int, int]]:
    """Iterate over the events of all workflows, also of those without checkpoints."""
    for path in all_event_paths(view):
        with suppress(Damaged):
            content = view.read(path, EVENTS, path) or {}
            numbers = [each["number"] for each in content.get("events", [])]
            for number in numbers:
                yield content["workflow_id"], number, numbers[0]
