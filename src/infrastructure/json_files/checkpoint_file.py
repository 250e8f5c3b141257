"""How a checkpoint becomes the document of a file, and how it is found again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ...domain.checkpoint import CHANGEABLE, Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.error_record import ErrorRecord
from ...domain.errors import CheckpointCorrupted, Damaged, InvalidId, NotFound
from ...domain.name_part import file_name
from ...domain.payload import JsonText, Payload
from ...domain.scope import Scope
from . import layout
from .documents import Document, digest, text_of, value_of
from .purge_memory import missing
from .view import View

KIND = "checkpoint"
_PAYLOAD = ("state", "patch", "input", "output")


@dataclass(frozen=True, slots=True)
class Chained:
    """What a checkpoint knows of its chain.

    Attributes:
        link: a digest that ties it to its parent's link: of what never changes of it.
        before: its parent, and ``before_that``, the parent of that: a way on where one of them is
            damaged and does not say so itself.
        context: the sequence of the newest one in its chain at which the context is kept; and
            ``context_size``, the bytes of that.
        rows: how many have been added to the chain since, and ``bytes``, of how many bytes.
    """

    link: str = ""
    before: CheckpointId | None = None
    before_that: CheckpointId | None = None
    context: int | None = None
    context_size: int = 0
    rows: int = 0
    bytes: int = 0

    def to_document(self) -> Document:
        """Return it as it stands in a document."""
        return {
            "link": self.link,
            "before": _text(self.before),
            "before_that": _text(self.before_that),
            "context": self.context,
            "context_size": self.context_size,
            "rows": self.rows,
            "bytes": self.bytes,
        }

    @classmethod
    def of_document(cls, found: Document) -> Chained:
        """Return what `to_document` made *found* of."""
        return cls(
            link=found["link"],
            before=_id(found["before"]),
            before_that=_id(found["before_that"]),
            context=found["context"],
            context_size=found["context_size"],
            rows=found["rows"],
            bytes=found["bytes"],
        )


@dataclass(slots=True)
class StoredCheckpoint:
    """A checkpoint as it stands in its file.

    Attributes:
        number: of its ``created`` event.
        epoch: that it was written under, whoever took it over since.
        payload: its members by name, as values.
        written: the digest of the payload as first written.
        base: what its chain adds up to, scope by scope, once it was made to stand for itself; then
            it needs no ancestor.
        opening: the opening of its workflow that was in force when it was written.
    """

    checkpoint: Checkpoint
    number: int
    epoch: int
    payload: Document
    written: str
    opening: CheckpointId | None = None
    chained: Chained = field(default_factory=Chained)
    base: list[Document] | None = None

    @classmethod
    def of(cls, checkpoint: Checkpoint, number: int, payload: Payload) -> StoredCheckpoint:
        """Return a new checkpoint, without its place in a chain."""
        members = {name: getattr(payload, name) for name in _PAYLOAD}
        values = {name: value_of(text) for name, text in members.items() if text is not None}
        return cls(checkpoint.copy(), number, checkpoint.epoch, values, digest(values))

    def change_to(self, checkpoint: Checkpoint) -> None:
        """Take over what can change of a checkpoint."""
        for name in CHANGEABLE:
            setattr(self.checkpoint, name, getattr(checkpoint, name))

    def follow(self, parent: Chained, size: int) -> None:
        """Take its place after *parent*, with so many bytes."""
        self.chained = replace(
            parent,
            link=self.link_after(parent.link),
            before=self.checkpoint.parent_id,
            before_that=parent.before,
            rows=parent.rows + 1,
            bytes=parent.bytes + size,
        )

    def link_after(self, parent_link: str) -> str:
        """Return the link that it must have after a parent with that one."""
        checkpoint = self.checkpoint
        fixed = [
            str(checkpoint.id),
            checkpoint.type.value,
            checkpoint.name,
            checkpoint.kind,
            checkpoint.created_at.isoformat(),
            _text(checkpoint.parent_id),
            self.epoch,
            checkpoint.max_retries,
            [str(each) for each in checkpoint.depends_on],
            dict(checkpoint.metadata),
            checkpoint.schema_version,
            self.written,
        ]
        return digest([parent_link, fixed])

    @property
    def texts(self) -> Payload:
        """The payload as JSON text."""
        return Payload(**{name: JsonText(text_of(value)) for name, value in self.payload.items()})

    @property
    def path(self) -> str:
        """Where its file is."""
        return layout.checkpoint(self.checkpoint.id, self.checkpoint.type)

    def save(self, view: View) -> None:
        """Keep it."""
        view.write(self.path, KIND, self._to_document())

    def _to_document(self) -> Document:
        checkpoint = self.checkpoint
        taken_over = checkpoint.epoch if checkpoint.epoch != self.epoch else None
        return {
            "id": str(checkpoint.id),
            "number": self.number,
            "type": checkpoint.type.value,
            "status": checkpoint.status.value,
            "name": checkpoint.name,
            "kind": checkpoint.kind,
            "created_at": checkpoint.created_at.isoformat(),
            "updated_at": checkpoint.updated_at.isoformat(),
            "parent": _text(checkpoint.parent_id),
            "depends_on": [str(each) for each in checkpoint.depends_on],
            "resume_handler": checkpoint.resume_handler,
            "retry_count": checkpoint.retry_count,
            "max_retries": checkpoint.max_retries,
            "epoch": self.epoch,
            "taken_over": taken_over,
            "error": error_document(checkpoint.error),
            "reason": checkpoint.reason,
            "due_at": time_text(checkpoint.due_at),
            "schema_version": checkpoint.schema_version,
            "metadata": dict(checkpoint.metadata),
            "payload": self.payload,
            "payload_as_written": self.written,
            "base": self.base,
            "opening": _text(self.opening),
            "chained": self.chained.to_document(),
        }


def find_path(view: View, checkpoint_id: CheckpointId) -> str | None:
    """Return where a checkpoint's file is, whatever its type; ``None`` when there is none."""
    paths = layout.possible_checkpoints(checkpoint_id)
    return next((path for path in paths if view.exists(path)), None)


def read_checkpoint(view: View, checkpoint_id: CheckpointId) -> StoredCheckpoint:
    """Return a checkpoint as it stands in its file.

    Raises:
        NotFound: there is no such file.
        CheckpointCorrupted: it is not what was written.
    """
    path = find_path(view, checkpoint_id)
    found = _read(view, path, checkpoint_id) if path is not None else None
    if found is None:
        gone = missing(view, f"checkpoint {checkpoint_id}", checkpoint_id)
        raise gone or NotFound(
            f"checkpoint {checkpoint_id}", _with_its_sequence(view, checkpoint_id)
        )
    if found.checkpoint.id != checkpoint_id:
        raise CheckpointCorrupted(checkpoint_id, f"its file holds {found.checkpoint.id}")
    return found


def read_file(view: View, named: layout.NamedFile) -> StoredCheckpoint:
    """Return the checkpoint in a file that was found by its name; raises `CheckpointCorrupted`."""
    subject = _named_by(named)
    found = _read(view, named.path, subject)
    if found is None:
        raise CheckpointCorrupted(subject, "its file is missing")
    if found.path != named.path:
        raise CheckpointCorrupted(subject, f"its file holds {found.checkpoint.id}")
    return found


def id_by_name(workflow_id: str, named: layout.NamedFile) -> CheckpointId | None:
    """Return the id that a file must have by its name alone; ``None`` where that is shortened."""
    inside = named.path.removeprefix(f"{layout.workflow(workflow_id)}/").split("/")[1:-1]
    scope = Scope(workflow_id, *inside)
    found = CheckpointId.of(scope, named.sequence)
    return found if layout.checkpoint(found, named.type) == named.path else None


def _named_by(named: layout.NamedFile) -> CheckpointId | str:
    """Return the id that a file is found by, or its path where the names in it are shortened."""
    _, _, workflow_id, _, *inside, _ = named.path.split("/")
    if all(file_name(part) == part for part in (workflow_id, *inside)):
        return CheckpointId.of(Scope(workflow_id, *inside), named.sequence)
    return named.path


def time_text(at: datetime | None) -> str | None:
    """Return a time as it stands in a document."""
    return at.isoformat() if at is not None else None


def time_of(text: str | None) -> datetime | None:
    """Return the time that `time_text` wrote."""
    return datetime.fromisoformat(text) if text is not None else None


def error_document(error: ErrorRecord | None) -> Document | None:
    """Return an error as it stands in a document."""
    if error is None:
        return None
    return {"type": error.type, "message": error.message, "traceback": error.traceback}


def error_of(found: Document | None) -> ErrorRecord | None:
    """Return the error that `error_document` wrote."""
    return ErrorRecord(**found) if found is not None else None


def _with_its_sequence(view: View, wanted: CheckpointId) -> list[str]:
    """Return the id of the checkpoint of another scope that has the sequence, if there is one."""
    for named in view.chunk_files(wanted.workflow_id, layout.chunk(wanted.sequence)):
        if named.sequence == wanted.sequence:
            with suppress(Damaged):
                return [str(read_file(view, named).checkpoint.id)]
    return []


def _read(view: View, path: str, subject: object) -> StoredCheckpoint | None:
    found = view.read(path, KIND, subject)
    if found is None:
        return None
    try:
        return _of_document(found)
    except (KeyError, TypeError, ValueError, InvalidId) as error:
        raise CheckpointCorrupted(
            subject, f"its file is not what can have been written ({error})"
        ) from error


def _of_document(found: Document) -> StoredCheckpoint:
    checkpoint = Checkpoint(
        id=CheckpointId.parse(found["id"]),
        type=CheckpointType(found["type"]),
        status=CheckpointStatus(found["status"]),
        created_at=_time(found["created_at"]),
        updated_at=_time(found["updated_at"]),
        parent_id=_id(found["parent"]),
        name=found["name"],
        kind=found["kind"],
        depends_on=tuple(map(CheckpointId.parse, found["depends_on"])),
        resume_handler=found["resume_handler"],
        retry_count=found["retry_count"],
        max_retries=found["max_retries"],
        epoch=found["epoch"] if found["taken_over"] is None else found["taken_over"],
        error=error_of(found["error"]),
        reason=found["reason"],
        due_at=time_of(found["due_at"]),
        schema_version=found["schema_version"],
        metadata=found["metadata"],
    )
    return StoredCheckpoint(
        checkpoint,
        found["number"],
        found["epoch"],
        found["payload"],
        found["payload_as_written"],
        _id(found["opening"]),
        Chained.of_document(found["chained"]),
        found["base"],
    )


def _time(text: Any) -> datetime:
    return datetime.fromisoformat(text)


def _text(checkpoint_id: CheckpointId | None) -> str | None:
    return str(checkpoint_id) if checkpoint_id is not None else None


def _id(text: str | None) -> CheckpointId | None:
    return CheckpointId.parse(text) if text is not None else None
