"""The newest failures in one file, for people to look at; made anew when it is missing."""

from __future__ import annotations

from itertools import islice

from ...domain.checkpoint_type import CheckpointType
from ...domain.errors import Damaged
from . import layout
from .checkpoint_file import StoredCheckpoint, read_checkpoint
from .documents import Document
from .view import View

KIND = "failures"

_MOST = 100


def note_failure(view: View, failed: StoredCheckpoint) -> None:
    """Add a failure that was just written, as the newest."""
    found = view.read_derived(layout.FAILURES, KIND)
    if found is None or not isinstance(found.get("failures"), list):
        failures = _made_anew(view)
    else:
        failures = [_to_document(failed), *found["failures"]]
    view.write(layout.FAILURES, KIND, {"failures": failures[:_MOST]})


def _made_anew(view: View) -> list[Document]:
    ids = (each.checkpoint_id for each in view.newest_entries() if each.kind == "created")
    type_ = CheckpointType.ERROR_STATE
    failed = (each for each in ids if view.exists(layout.checkpoint(each, type_)))
    found = []
    for checkpoint_id in islice(failed, _MOST):
        try:
            found.append(_to_document(read_checkpoint(view, checkpoint_id)))
        except Damaged:
            continue
    return found


def _to_document(failed: StoredCheckpoint) -> Document:
    checkpoint = failed.checkpoint
    error = checkpoint.error
    return {
        "id": str(checkpoint.id),
        "at": checkpoint.created_at.isoformat(),
        "error": error.summary if error else None,
    }
