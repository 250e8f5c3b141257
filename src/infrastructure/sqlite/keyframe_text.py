"""The text of a keyframe: what a chain adds up to, as it is stored.

A line of JSON, and the texts of the states, one after the other. States that were handed in whole
stand in it byte by byte, since later differences start from them.
"""

from __future__ import annotations

from typing import Any

from ...domain.checkpoint_id import CheckpointId
from ...domain.moment import from_microseconds, to_microseconds
from ...domain.replay import Replay
from ...domain.scope import Scope
from ...domain.scope_record import ScopeRecord
from ..json_codec import JsonCodec, text_of
from .rebuild import Rebuild


def encode_keyframe(rebuild: Rebuild) -> bytes:
    """Return the text of what a chain adds up to; it must have a checkpoint."""
    head = rebuild.replay.head
    if head is None:
        raise ValueError("a chain without checkpoints has no keyframe")
    texts: list[bytes | bytearray] = []
    scopes = []
    for scope, record in rebuild.replay.scopes.items():
        is_whole = scope in rebuild.whole
        text = rebuild.whole[scope] if is_whole else _merged_text(rebuild, scope)
        texts.append(text)
        scopes.append([scope.stage_id, scope.agent_id, len(text), is_whole, *_fields(record)])
    # Not checked as what users hand in is: an input that is nested as deep as it may be is deeper
    # in here.
    line = [head.sequence, head.stage_id, head.agent_id, scopes]
    return b"".join([text_of(line), b"\n", *texts])


def decode_keyframe(text: bytes, workflow_id: str, codec: JsonCodec) -> Rebuild:
    """Return what `encode_keyframe` made *text* of.

    Raises:
        ValueError, TypeError: it made no such text.
    """
    line, _, texts = text.partition(b"\n")
    sequence, stage_id, agent_id, found = codec.decode(line)
    scopes: dict[Scope, ScopeRecord] = {}
    replay = Replay()
    rebuild = Rebuild(codec)
    at = 0
    for stage, agent, size, is_whole, *fields in found:
        scope = Scope(workflow_id, stage, agent)
        state = texts[at : at + size]
        at += size
        if is_whole:
            rebuild.whole[scope] = state
        elif size:
            rebuild.merged[scope] = state
        scopes[scope] = _record(scope, *fields)
    if at != len(texts):
        raise ValueError("its states are longer or shorter than it says")
    replay = Replay.resume(CheckpointId(workflow_id, stage_id, agent_id, sequence), scopes)
    rebuild.replay = replay
    return rebuild


def _merged_text(rebuild: Rebuild, scope: Scope) -> bytes:
    state = rebuild.merged.get(scope, b"")
    return state if isinstance(state, bytes) else text_of(state)


def _fields(record: ScopeRecord) -> list[Any]:
    return [
        record.title,
        record.kind,
        record.handler,
        record.input,
        record.output,
        record.opening.sequence if record.opening else None,
        to_microseconds(record.since) if record.since else None,
        to_microseconds(record.until) if record.until else None,
        record.is_open,
        record.is_finished,
    ]


def _record(
    scope: Scope,
    title: str | None,
    kind: str | None,
    handler: str | None,
    input: Any,
    output: Any,
    opening: int | None,
    since: int | None,
    until: int | None,
    is_open: bool,
    is_finished: bool,
) -> ScopeRecord:
    return ScopeRecord(
        title=title,
        kind=kind,
        handler=handler,
        input=input,
        output=output,
        opening=CheckpointId.of(scope, opening) if opening is not None else None,
        since=from_microseconds(since) if since is not None else None,
        until=from_microseconds(until) if until is not None else None,
        is_open=is_open,
        is_finished=is_finished,
    )
