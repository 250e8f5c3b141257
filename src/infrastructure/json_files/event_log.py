"""Events in files: one file for those of a workflow that one transaction logged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import CheckpointCorrupted, InvalidId, NotFound
from ...domain.events import DomainEvent, EventKind
from ...domain.ports import OnDamage
from ..passing_over import passing_over
from . import layout
from .checkpoint_file import StoredCheckpoint, read_checkpoint
from .documents import Document
from .index import Entry
from .traces import EVENTS
from .view import View


class JsonEventLog:
    """An append-only log; a checkpoint's own file is its ``created`` event."""

    def __init__(self, view: View) -> None:
        self._view = view
        # By workflow, the number that the file of this transaction is called by, and what it holds.
        self._logged: dict[str, tuple[int, list[Document]]] = {}

    def append(self, event: DomainEvent) -> None:
        """Add *event*."""
        number = self._view.take_number()
        name = event.workflow_id
        first, logged = self._logged.setdefault(name, (number, []))
        logged.append(_to_document(event, number))
        path = layout.event_file(name, first)
        self._view.write(path, EVENTS, {"workflow_id": name, "events": logged})
        text = layout.scope_text(name)
        self._view.note(Entry(number, "event", text, first))

    def read(
        self,
        *,
        after: int = 0,
        workflow_id: str | None = None,
        limit: int = 1000,
        on_damage: OnDamage | None = None,
    ) -> list[DomainEvent]:
        """Return the events numbered above *after*, the oldest first."""
        return list(islice(self._read(after, workflow_id, on_damage), limit))

    def _read(
        self, after: int, workflow_id: str | None, on_damage: OnDamage | None
    ) -> Iterator[DomainEvent]:
        files: dict[tuple[str, int], dict[int, Document]] = {}
        for entry in self._view.entries_after(after):
            name = entry.workflow_id
            if workflow_id not in (None, name):
                continue
            event: DomainEvent | None = None
            with passing_over(on_damage, f"event {entry.number}"):
                if entry.kind == "created":
                    event = self._created(entry)
                else:
                    key = (name, entry.file)
                    if key not in files:
                        files = {key: self._file(*key)}  # events of one file come close together
                    found = files[key].get(entry.number)
                    event = _of_document(found, name) if found is not None else None
            if event is not None:
                yield event

    def _created(self, entry: Entry) -> DomainEvent | None:
        try:
            stored = read_checkpoint(self._view, entry.checkpoint_id)
        except NotFound:
            return None  # taken away since, and its event with it
        return _created_event(stored) if stored.number == entry.number else None

    def _file(self, workflow_id: str, first: int) -> dict[int, Document]:
        path = layout.event_file(workflow_id, first)
        return _documents(self._view, path, workflow_id, f"event {first}")


def events_in(view: View, path: str, workflow_id: str) -> list[DomainEvent]:
    """Return the events of one file of a workflow; raises `CheckpointCorrupted`."""
    found = _documents(view, path, workflow_id, path)
    events = [_of_document(each, workflow_id) for each in found.values()]
    if not events or layout.event_file(workflow_id, events[0].number) != path:
        raise CheckpointCorrupted(path, "its file bears the name of another one")
    return events


def _documents(view: View, path: str, workflow_id: str, subject: str) -> dict[int, Document]:
    found = view.read(path, EVENTS, subject)
    if found is None:
        return {}
    if found.get("workflow_id") != workflow_id:
        raise CheckpointCorrupted(subject, "its file holds those of another workflow")
    return {each["number"]: each for each in found["events"]}


def _created_event(stored: StoredCheckpoint) -> DomainEvent:
    checkpoint = stored.checkpoint
    return DomainEvent(
        EventKind.CREATED,
        checkpoint.id.workflow_id,
        checkpoint.created_at,
        checkpoint.id,
        stored.epoch,
        detail={"type": checkpoint.type.value, "name": checkpoint.name},
        number=stored.number,
    )


def _to_document(event: DomainEvent, number: int) -> Document:
    return {
        "number": number,
        "kind": event.kind.value,
        "at": event.at.isoformat(),
        "checkpoint": str(event.checkpoint_id) if event.checkpoint_id else None,
        "epoch": event.epoch,
        "correlation_id": event.correlation_id,
        "detail": dict(event.detail),
    }


def _of_document(found: Document, workflow_id: str) -> DomainEvent:
    try:
        return DomainEvent(
            EventKind(found["kind"]),
            workflow_id,
            datetime.fromisoformat(found["at"]),
            CheckpointId.parse(found["checkpoint"]) if found["checkpoint"] else None,
            found["epoch"],
            found["correlation_id"],
            found["detail"],
            found["number"],
        )
    except (KeyError, TypeError, ValueError, InvalidId) as error:
        subject = f"event {found.get('number')}"
        raise CheckpointCorrupted(subject, f"it cannot have been written so ({error})") from error
