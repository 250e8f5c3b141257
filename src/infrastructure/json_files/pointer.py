"""Where a workflow stands: one small file, so that a writer need not look for it.

It repeats what the files of the checkpoints say; when it is missing or damaged it is made anew from
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.errors import Damaged, InvalidId
from . import layout
from .checkpoint_file import Chained, StoredCheckpoint, id_by_name, read_file
from .documents import Document
from .purge_memory import memory_of
from .traces import traces_of
from .view import View

KIND = "latest"


@dataclass(slots=True)
class Pointer:
    """Where a workflow stands.

    Attributes:
        head: its newest checkpoint; ``None`` when none is kept.
        chained: what the next checkpoint needs to know of the head; ``None`` where the head is
            damaged and that is not known.
        checkpoints: how many are kept.
        floor: sequences up to here were given out, whatever files there are.
        branched: whether some checkpoint's parent was not the head.
        opening: the checkpoint that opened it last; ``None`` for a record.
        status: the status of that opening, and ``handler``, the handler that it names.
        unfinished: the openings of scopes that are not done, in the order of opening.
        epoch: the highest that was seen, should its lease get lost.
    """

    workflow_id: str
    head: CheckpointId | None = None
    head_type: CheckpointType | None = None
    chained: Chained | None = None
    checkpoints: int = 0
    floor: int = 0
    branched: bool = False
    opening: CheckpointId | None = None
    status: CheckpointStatus | None = None
    handler: str | None = None
    unfinished: list[CheckpointId] = field(default_factory=list)
    epoch: int = 0

    @property
    def is_unfinished(self) -> bool:
        """Whether it was opened and has not reached its end."""
        return self.status is not None and not self.status.is_final

    def open_with(self, opening: CheckpointId | None, found: StoredCheckpoint | None) -> None:
        """Take over what is repeated of the newest opening."""
        self.opening = opening
        self.status = found.checkpoint.status if found else None
        self.handler = found.checkpoint.resume_handler if found else None

    def agrees_with(self, anew: Pointer) -> bool:
        """Whether it says the same as one that was made anew from intact checkpoints.

        What was given out may be higher here: not everything leaves a file behind.
        """
        same_opening = self.opening != anew.opening or (self.status, self.handler) == (
            anew.status,
            anew.handler,
        )
        return (
            same_opening
            and (self.head, self.head_type, self.checkpoints)
            == (anew.head, anew.head_type, anew.checkpoints)
            and set(self.unfinished) == set(anew.unfinished)
            and (self.head is None or self.chained == anew.chained)
            and self.floor >= anew.floor
        )

    def save(self, view: View) -> None:
        """Keep it."""
        view.write(layout.pointer(self.workflow_id), KIND, _to_document(self))


def pointer_of(view: View, workflow_id: str) -> Pointer | None:
    """Return where a workflow stands, made anew if need be; ``None`` when it has no checkpoint."""
    stored = stored_pointer(view, workflow_id)
    if stored is not None and _holds(view, stored):
        return stored
    pointer = pointer_made_anew(view, workflow_id)
    if pointer is not None:
        view.write_derived(layout.pointer(workflow_id), KIND, _to_document(pointer))
    return pointer


def _holds(view: View, pointer: Pointer) -> bool:
    """Whether the head is there; somebody may have taken its file away."""
    if pointer.head is None or pointer.head_type is None:
        return True
    return view.exists(layout.checkpoint(pointer.head, pointer.head_type))


def stored_pointer(view: View, workflow_id: str) -> Pointer | None:
    """Return what a workflow's file says; ``None`` when it is missing or damaged."""
    found = view.read_derived(layout.pointer(workflow_id), KIND)
    pointer = _of_document(found) if found is not None else None
    return pointer if pointer is not None and pointer.workflow_id == workflow_id else None


def pointer_made_anew(view: View, workflow_id: str) -> Pointer | None:
    """Return where a workflow stands by its checkpoints; ``None`` when there is nothing of it."""
    names = list(view.checkpoint_files(workflow_id))
    try:
        floor = _floor_after_purges(view, workflow_id)
    except Damaged:
        if not names:
            raise  # nothing else tells which sequences were given out
        floor = 0  # the newest checkpoint never goes, and is above all that did
    if not names:
        return Pointer(workflow_id, floor=floor) if floor else None
    pointer = Pointer(workflow_id, checkpoints=len(names), floor=max(floor, names[-1].sequence))
    opened: dict[CheckpointId, StoredCheckpoint] = {}
    newest: StoredCheckpoint | None = None
    for name in names:
        try:
            stored = read_file(view, name)
        except Damaged:
            continue
        checkpoint = stored.checkpoint
        if newest is not None and checkpoint.parent_id != newest.checkpoint.id:
            pointer.branched = True
        newest = stored
        pointer.epoch = max(pointer.epoch, checkpoint.epoch, stored.epoch)
        if checkpoint.type.opens and not checkpoint.status.is_final:
            pointer.unfinished.append(checkpoint.id)
        if checkpoint.type is CheckpointType.WORKFLOW_START:
            opened[checkpoint.id] = stored
    if newest is None:
        return None
    traces = traces_of(view, workflow_id)
    pointer.epoch = max(pointer.epoch, traces.epoch)
    pointer.floor = max(pointer.floor, traces.sequence)
    pointer.head, pointer.head_type = newest.checkpoint.id, newest.checkpoint.type
    pointer.chained = newest.chained
    last = names[-1]
    if newest.path != last.path:  # damaged: it is the head all the same, if its name tells its id
        by_name = id_by_name(workflow_id, last)
        if by_name is not None:
            pointer.head, pointer.head_type, pointer.chained = by_name, last.type, None
    opening = newest.opening
    pointer.open_with(opening, opened.get(opening) if opening else None)
    return pointer


def _floor_after_purges(view: View, workflow_id: str) -> int:
    if not view.exists(layout.retention(workflow_id)):
        return 0
    return memory_of(view, workflow_id).floor


def _to_document(pointer: Pointer) -> Document:
    return {
        "workflow_id": pointer.workflow_id,
        "head": _text(pointer.head),
        "head_type": pointer.head_type.value if pointer.head_type else None,
        "chained": pointer.chained.to_document() if pointer.chained else None,
        "checkpoints": pointer.checkpoints,
        "floor": pointer.floor,
        "branched": pointer.branched,
        "opening": _text(pointer.opening),
        "status": pointer.status.value if pointer.status else None,
        "handler": pointer.handler,
        "unfinished": [str(each) for each in pointer.unfinished],
        "epoch": pointer.epoch,
    }


def _of_document(found: Document) -> Pointer | None:
    try:
        return Pointer(
            workflow_id=found["workflow_id"],
            head=_id(found["head"]),
            head_type=CheckpointType(found["head_type"]) if found["head_type"] else None,
            chained=Chained.of_document(found["chained"]) if found["chained"] else None,
            checkpoints=found["checkpoints"],
            floor=found["floor"],
            branched=found["branched"],
            opening=_id(found["opening"]),
            status=CheckpointStatus(found["status"]) if found["status"] else None,
            handler=found["handler"],
            unfinished=list(_ids(found["unfinished"])),
            epoch=found["epoch"],
        )
    except (KeyError, TypeError, ValueError, InvalidId):
        return None


def _text(checkpoint_id: CheckpointId | None) -> str | None:
    return str(checkpoint_id) if checkpoint_id is not None else None


def _id(text: str | None) -> CheckpointId | None:
    return CheckpointId.parse(text) if text is not None else None


def _ids(texts: Iterable[str]) -> Iterable[CheckpointId]:
    return map(CheckpointId.parse, texts)
