"""Contexts kept here and there in a chain, so that a rebuild need not read it from its root.

Redundant as long as the checkpoints before them are there: a damaged or missing one costs time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import InvalidId
from ...domain.replay import Replay
from ...domain.scope import Scope
from ...domain.scope_record import ScopeRecord
from . import layout
from .checkpoint_file import Chained, time_of, time_text
from .documents import Document
from .view import View

KIND = "context"

# Reading a file costs as much as reading so many bytes of a context, about.
_FILE_COST = 400
_LEAST_ROWS = 32
_MOST_ROWS = 64
# Of a large context, so many bytes a file since the last one: reading either takes as long.
_BYTES_A_ROW = 4096


class KeptContext(NamedTuple):
    """What a chain adds up to at a checkpoint, and the link of that checkpoint."""

    replay: Replay
    link: str


def is_due(chained: Chained) -> bool:
    """Whether the context should be kept: reading what was added costs as much as reading it."""
    if chained.rows == 0 or chained.rows % _LEAST_ROWS:
        return False
    size = chained.context_size
    cost = chained.bytes + chained.rows * _FILE_COST
    return cost >= size or chained.rows >= max(_MOST_ROWS, size // _BYTES_A_ROW)


def keep_context(view: View, replay: Replay, link: str) -> int:
    """Keep what a chain adds up to at its head; return how many bytes that takes."""
    head = replay.head
    if head is None:
        raise ValueError("a chain without checkpoints has no context")
    content = {"id": str(head), "link": link, "scopes": scopes_of(replay)}
    return view.write_derived(layout.context(head.workflow_id, head.sequence), KIND, content)


def load_context(view: View, workflow_id: str, sequence: int) -> KeptContext | None:
    """Return the context kept at a sequence; ``None`` when it is missing or damaged."""
    found = view.read_derived(layout.context(workflow_id, sequence), KIND)
    if found is None:
        return None
    try:
        head = CheckpointId.parse(found["id"])
        kept = KeptContext(replay_of(head, found["scopes"]), found["link"])
    except (KeyError, TypeError, ValueError, InvalidId):
        return None
    same = (head.workflow_id, head.sequence) == (workflow_id, sequence)
    return kept if same else None


def scopes_of(replay: Replay) -> list[Document]:
    """Return what a replay says of each scope, in their order."""
    return [_to_document(scope, record) for scope, record in replay.scopes.items()]


def replay_of(head: CheckpointId, scopes: list[Document]) -> Replay:
    """Return the replay at *head* that `scopes_of` made *scopes* of.

    Raises:
        KeyError, TypeError, ValueError, InvalidId: it made no such thing.
    """
    return Replay.resume(head, dict(_of_document(head.workflow_id, each) for each in scopes))


def _to_document(scope: Scope, record: ScopeRecord) -> Document:
    return {
        "scope": scope.key,
        "state": record.state,
        "title": record.title,
        "kind": record.kind,
        "handler": record.handler,
        "input": record.input,
        "output": record.output,
        "opening": record.opening.sequence if record.opening else None,
        "since": time_text(record.since),
        "until": time_text(record.until),
        "is_open": record.is_open,
        "is_finished": record.is_finished,
    }


def _of_document(workflow_id: str, found: dict[str, Any]) -> tuple[Scope, ScopeRecord]:
    scope = Scope.within(workflow_id, found["scope"])
    opening = found["opening"]
    return scope, ScopeRecord(
        state=found["state"],
        title=found["title"],
        kind=found["kind"],
        handler=found["handler"],
        input=found["input"],
        output=found["output"],
        opening=CheckpointId.of(scope, opening) if opening is not None else None,
        since=time_of(found["since"]),
        until=time_of(found["until"]),
        is_open=found["is_open"],
        is_finished=found["is_finished"],
    )
