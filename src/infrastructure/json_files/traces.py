"""What attempts and events tell of a workflow, should the files that say it themselves be lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import Damaged, InvalidId
from . import layout
from .documents import Document
from .view import View

ATTEMPT = "attempt"
EVENTS = "events"


class Traces(NamedTuple):
    """The highest epoch and the highest sequence that are mentioned."""

    epoch: int
    sequence: int


def traces_of(view: View, workflow_id: str) -> Traces:
    """Return what a workflow's attempts and events mention; what is damaged tells nothing."""
    epoch = sequence = 0
    for path in attempt_paths(view, workflow_id):
        found = _read(view, path, ATTEMPT)
        epoch = max(epoch, found.get("epoch", 0))
        sequence = max(sequence, found.get("begun_after", 0))
    for path in event_paths(view, layout.events(workflow_id)):
        for event in _read(view, path, EVENTS).get("events", []):
            epoch = max(epoch, event["epoch"])
            sequence = max(sequence, _sequence(event["checkpoint"]))
    return Traces(epoch, sequence)


def attempt_paths(view: View, workflow_id: str, *, newest_first: bool = False) -> list[str]:
    """Return the files of a workflow's attempts, in the order of their numbers."""
    return attempt_files(view, layout.attempts(workflow_id), newest_first=newest_first)


def attempt_files(view: View, folder: str, *, newest_first: bool = False) -> list[str]:
    """Return the files in the folder of a workflow's attempts, in the order of their numbers."""
    return _numbered(view, folder, newest_first=newest_first)


def last_attempt_path(view: View, workflow_id: str) -> str | None:
    """Return the file of a workflow's newest attempt, without a look at the others."""
    folder = layout.attempts(workflow_id)
    for chunk in view.chunks(folder, newest_first=True):
        names = _files(view, f"{folder}/{chunk}")
        if names:
            return f"{folder}/{chunk}/{names[-1]}"
    return None


def all_event_paths(view: View) -> Iterator[str]:
    """Iterate over the files of the events of all workflows, also of those without checkpoints."""
    for bucket in view.names(layout.WORKFLOWS):
        folder = f"{layout.WORKFLOWS}/{bucket}"
        for name in view.names(folder):
            yield from event_paths(view, f"{folder}/{name}/events")


def event_paths(view: View, folder: str) -> list[str]:
    """Return the files in the folder of a workflow's events, in the order of their numbers."""
    found = []
    for millions in sorted(view.names(folder)):
        found += _numbered(view, f"{folder}/{millions}")
    return found


def _numbered(view: View, folder: str, *, newest_first: bool = False) -> list[str]:
    paths = [
        f"{folder}/{chunk}/{name}"
        for chunk in view.chunks(folder)
        for name in _files(view, f"{folder}/{chunk}")
    ]
    return paths[::-1] if newest_first else paths


def _files(view: View, folder: str) -> list[str]:
    names = {name.removesuffix(".gz") for name in view.names(folder)}
    # Zero-padded; the few that are longer come last.
    return sorted((each for each in names if each.endswith(".json")), key=lambda n: (len(n), n))


def _read(view: View, path: str, kind: str) -> Document:
    with suppress(Damaged):
        return view.read(path, kind, path) or {}
    return {}


def _sequence(text: str | None) -> int:
    with suppress(InvalidId):
        return CheckpointId.parse(text).sequence if text is not None else 0
    return 0
