"""The name of a workflow whose folder was found: folders have shortened names, files the whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import CheckpointCorrupted, Damaged, InvalidId, SchemaTooNew
from ...domain.name_part import file_name
from . import checkpoint_file, layout
from .documents import COMPRESSED
from .traces import ATTEMPT, attempt_files
from .view import View

# What there is in the folder also of a name that nothing but events is kept of.
_EVENTS = "events"


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


def every_name(view: View) -> Iterator[str]:
    """Iterate over the names that anything but events is kept of, in no order; some come twice.

    Raises:
        CheckpointCorrupted: something is there, and nothing of it tells its name.
    """
    for bucket in view.names(layout.WORKFLOWS):
        for name in view.names(f"{layout.WORKFLOWS}/{bucket}"):
            yield from _name_of_folder(view, f"{layout.WORKFLOWS}/{bucket}", name)
    for bucket in view.names(layout.LEASES):
        for name in view.names(f"{layout.LEASES}/{bucket}"):
            yield _name_of_lease(view, f"{layout.LEASES}/{bucket}", name.removesuffix(COMPRESSED))


def _name_of_folder(view: View, bucket: str, name: str) -> Iterator[str]:
    folder = f"{bucket}/{name}"
    if not view.names(folder) - {_EVENTS}:
        return
    if file_name(name) == name:
        yield name  # it was not shortened: it is the name itself
        return
    paths = [*_tellers(view, folder)]
    told = {each for each in (_told_by(view, *teller) for teller in paths) if each is not None}
    fitting = [each for each in told if file_name(each) == name]
    if fitting:
        yield fitting[0]
    elif paths and not told:
        raise CheckpointCorrupted(folder, "nothing that is in it tells which workflow it is of")


def _tellers(view: View, folder: str) -> Iterator[tuple[str, str, str]]:
    """Iterate over documents that tell the name of a folder: path, kind and member."""
    if view.exists(f"{folder}/latest.json"):
        yield f"{folder}/latest.json", "latest", "workflow_id"
    if view.exists(f"{folder}/retention.json"):
        yield f"{folder}/retention.json", "retention", "workflow_id"
    for path in attempt_files(view, f"{folder}/attempts"):
        yield path, ATTEMPT, "workflow_id"
        break
    for path in _checkpoints(view, folder):
        yield path, checkpoint_file.KIND, "id"
        break


def _told_by(view: View, path: str, kind: str, member: str) -> str | None:
    with suppress(Damaged, InvalidId, KeyError, TypeError):
        found = (view.read(path, kind, path) or {})[member]
        return CheckpointId.parse(found).workflow_id if member == "id" else str(found)
    return None


def _name_of_lease(view: View, bucket: str, file: str) -> str:
    name = file.removesuffix(".json")
    if file_name(name) == name:
        return name
    path = f"{bucket}/{file}"
    told = (view.read(path, "lease", path) or {}).get("resource")
    if not isinstance(told, str):
        raise CheckpointCorrupted(path, "it does not tell what it is the lease of")
    return told


def name_by_any_file(view: View, folder: str) -> str | None:
    """Return the id of the workflow in a folder, whatever is left of it to tell.

    ``None`` when nothing does: a name that was shortened stands nowhere else.
    """
    name = folder.rpartition("/")[2]
    if file_name(name) == name:
        return name if layout.workflow(name) == folder else None
    for file in view.files_below(folder):
        told = _told_by_any_kind(view, file)
        if told is not None and layout.workflow(told) == folder:
            return told
    return None


def _told_by_any_kind(view: View, file: str) -> str | None:
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
