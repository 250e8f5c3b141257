"""Which workflows have not reached their end: a list a bucket, and a scan reads nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from ...domain.name_part import file_name
from . import layout
from .pointer import Pointer, pointer_of
from .view import View
from .workflow_names import workflow_name

KIND = "unfinished"


def note_unfinished(view: View, pointer: Pointer) -> None:
    """Keep the list of a workflow's bucket true, now that its pointer was saved."""
    bucket = layout.bucket(pointer.workflow_id)
    names = _list(view, bucket)
    if (pointer.workflow_id in names) == pointer.is_unfinished and view.exists(
        layout.unfinished(bucket)
    ):
        return
    names = [each for each in names if each != pointer.workflow_id]
    if pointer.is_unfinished:
        names.append(pointer.workflow_id)
    _save(view, bucket, names)


def unfinished_workflows(view: View) -> Iterator[str]:
    """Iterate over the ids of the workflows that have not reached their end."""
    for bucket in sorted(view.names(layout.WORKFLOWS)):
        yield from _list(view, bucket)


def workflow_ids(view: View) -> Iterator[str]:
    """Iterate over the ids of all workflows that have a checkpoint."""
    for bucket in sorted(view.names(layout.WORKFLOWS)):
        yield from names_in_bucket(view, bucket)


def workflow_ids_after(view: View, after: str) -> Iterator[str]:
    """Iterate over the ids above *after* of workflows with checkpoints, sorted by code point."""
    names = set()
    for bucket in view.names(layout.WORKFLOWS):
        folder = f"{layout.WORKFLOWS}/{bucket}"
        for folder_name in view.names(folder):
            # A name that was not shortened is the id itself: it need not be read for each page.
            is_plain = file_name(folder_name) == folder_name
            name = folder_name if is_plain else workflow_name(view, f"{folder}/{folder_name}")
            if name is not None and name > after:
                names.add(name)
    for name in sorted(names):
        pointer = pointer_of(view, name)
        if pointer is not None and pointer.head is not None:
            yield name


def _list(view: View, bucket: str) -> list[str]:
    found = view.read_derived(layout.unfinished(bucket), KIND)
    if found is not None and isinstance(found.get("workflows"), list):
        return list(found["workflows"])
    names = []
    for workflow_id in names_in_bucket(view, bucket):
        pointer = pointer_of(view, workflow_id)
        if pointer is not None and pointer.is_unfinished:
            names.append(workflow_id)
    _save(view, bucket, names)
    return names


def names_in_bucket(view: View, bucket: str) -> Iterator[str]:
    """Iterate over the ids of the workflows of a bucket that have a checkpoint."""
    folder = f"{layout.WORKFLOWS}/{bucket}"
    for name in sorted(view.names(folder)):
        workflow_id = workflow_name(view, f"{folder}/{name}")
        # A folder that bears another name than its workflow's is not looked into.
        if workflow_id is not None and file_name(workflow_id) == name:
            yield workflow_id


def _save(view: View, bucket: str, names: list[str]) -> None:
    view.write_derived(layout.unfinished(bucket), KIND, {"workflows": sorted(names)})
