"""How what a checkpoint stores becomes the body of its row."""

from __future__ import annotations

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import CheckpointCorrupted
from ...domain.json_value import JsonObject
from ...domain.payload import Payload
from ..json_codec import JsonCodec, join_object
from .rows import CheckpointRow, digest


def pack(payload: Payload) -> bytes | None:
    """Return the body that holds *payload*; ``None`` for an empty one."""
    members: dict[str, bytes] = {}
    if payload.state is not None:
        members["state"] = payload.state
    if payload.patch is not None:
        members["patch"] = payload.patch
    if payload.input is not None:
        members["input"] = payload.input
    if payload.output is not None:
        members["output"] = payload.output
    return join_object(members) if members else None


def check_body(row: CheckpointRow, body: bytes | None, checkpoint_id: CheckpointId) -> None:
    """Raise `CheckpointCorrupted` when a body is not what was written with its row."""
    if digest(body or b"") != row.body_digest:
        raise CheckpointCorrupted(checkpoint_id, "the digest of its payload does not match")


def unpack(body: bytes | None, codec: JsonCodec, subject: object) -> JsonObject:
    """Return the members of a body by name, decoded."""
    if body is None:
        return {}
    try:
        members: JsonObject = codec.decode(body)
    except ValueError as error:
        raise CheckpointCorrupted(subject, f"its payload is not JSON ({error})") from error
    return members


def repack(members: JsonObject) -> Payload:
    """Return the payload whose decoded members those are."""
    return Payload(**{name: _UNLIMITED.encode(value, name) for name, value in members.items()})


# What is stored was within the limit of its day.
_UNLIMITED = JsonCodec(limit=1 << 40)
