"""What a checkpoint stands on whose parent is not kept any more, out of a document."""

from __future__ import annotations

from typing import Any

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.ports import Codec
from ...domain.replay import Replay
from ...domain.scope import Scope
from ...domain.scope_record import ScopeRecord
from .document import MisfitDocument
from .members import Members


def replay_of(checkpoint: Checkpoint, found: list[Any], codec: Codec) -> Replay:
    """Return what a checkpoint's chain adds up to; *found* has a document for each scope."""
    scopes: dict[Scope, ScopeRecord] = {}
    for each in found:
        members = Members(each, "a scope of the base")
        scope = Scope(
            checkpoint.id.workflow_id,
            members.optional("stage_id", members.text),
            members.optional("agent_id", members.text),
        )
        if scope in scopes:
            raise MisfitDocument(f"the base has {scope} twice")
        scopes[scope] = _record(scope, members, codec)
        members.finish()
    if checkpoint.scope not in scopes:
        raise MisfitDocument(f"the base does not speak of {checkpoint.scope}")
    return Replay.resume(checkpoint.id, scopes)


def _record(scope: Scope, members: Members, codec: Codec) -> ScopeRecord:
    state = members.mapping("state")
    given, returned = members.anything("input"), members.anything("output")
    for value, name in ((state, "state"), (given, "input"), (returned, "output")):
        codec.encode(value, name)  # refuses what a store cannot hold
    opening = members.optional("opening", lambda name: members.integer(name, least=1))
    return ScopeRecord(
        state=state,
        title=members.optional("title", members.text),
        kind=members.optional("kind", members.text),
        handler=members.optional("handler", members.text),
        input=given,
        output=returned,
        opening=CheckpointId.of(scope, opening) if opening is not None else None,
        since=members.optional("since", members.time),
        until=members.optional("until", members.time),
        is_open=members.flag("is_open"),
        is_finished=members.flag("is_finished"),
    )
