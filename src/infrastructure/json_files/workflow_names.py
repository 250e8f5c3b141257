"""The name of a workflow whose folder was found: folders have shortened names, files the whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import Damaged, InvalidId, SchemaTooNew
from ...domain.name_part import file_name
from . import checkpoint_file, layout
from .view import View


def workflow_name(view: View, folder: str) -> str | None:
    """Return the id of the workflow in a folder; ``None`` when no checkpoint of it can be read."""
    found = view.read_derived(f"{folder}/latest.json", "latest")
    if found is not None:
        name = found.get("workflow_id")
        if isinstance(name, str):
            return name if found.get("head") is not None else None
    for path in _checkpoints(view, folder):
        with suppress(Damaged, InvalidId, KeyError, TypeError):
            stored = view.read(path, checkpoint_file.KIND, path) or {}
            return CheckpointId.parse(stored["id"]).workflow_id
    return None


def name_by_any_file(view: View, folder: str) -> str | None:
    """Return the id of the workflow in a folder, whatever is left of it to tell.

    ``None`` when nothing does: a name that was shortened stands nowhere else.
    """
    name = folder.rpartition("/")[2]
    if file_name(name) == name:
        return name if layout.workflow(name) == folder else None
    for file in view.files_below(folder):
        told = _told_by(view, file)
        if told is not None and layout.workflow(told) == folder:
            return told
    return None


def _told_by(view: View, file: str) -> str | None:
    for kind in ("latest", checkpoint_file.KIND, "events", "attempt", "retention", "context"):
        with suppress(Damaged, SchemaTooNew, InvalidId, KeyError, TypeError):
            found = view.read(file.removesuffix(".gz"), kind, file) or {}
            name = found.get("workflow_id")
            return name if isinstance(name, str) else CheckpointId.parse(found["id"]).workflow_id
    return None


def _checkpoints(view: View, folder: str) -> Iterator[str]:
    for chunk in view.chunks(folder):
        yield from _below(view, f"{folder}/{chunk}", 2)


def _below(view: View, folder: str, depth: int) -> Iterator[str]:
    for name in sorted(view.names(folder)):
        found = layout.parse_checkpoint_name(folder, name)
        if found is not None:
            yield found.path
        elif depth and not name.startswith("@"):
            yield from _below(view, f"{folder}/{name}", depth - 1)
