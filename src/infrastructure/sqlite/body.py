"""How what a checkpoint stores becomes the body of its row.

A body is a line of JSON, which names its members and their sizes in bytes, and their texts, one
after the other. A state stands in it as it was handed in (``state``), or as a difference from the
state that its scope had before (``difference``, see `differences`). Large bodies are compressed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import orjson

from ...domain.errors import CheckpointCorrupted
from ...domain.payload import Payload
from .compression import compress, decompress
from .rows import digest

Member: TypeAlias = Literal["state", "difference", "patch", "input", "output"]
Members: TypeAlias = Mapping[Member, bytes]

# Below, the time to compress is longer than the time to write what it saves.
_WORTH_COMPRESSING = 256 << 10


def members_of(payload: Payload) -> Members:
    """Return what *payload* says, by name."""
    members: dict[Member, bytes] = {}
    if payload.state is not None:
        members["state"] = payload.state
    if payload.patch is not None:
        members["patch"] = payload.patch
    if payload.input is not None:
        members["input"] = payload.input
    if payload.output is not None:
        members["output"] = payload.output
    return members


def pack(members: Members, difference: bytes | None = None) -> bytes | None:
    """Return the body that holds *members*; ``None`` when there are none.

    Args:
        difference: stands for the state among them.
    """
    if not members:
        return None
    if difference is not None:
        stored: dict[Member, bytes] = {"difference": difference}
        stored.update((name, text) for name, text in members.items() if name != "state")
        members = stored
    sizes = orjson.dumps({name: len(text) for name, text in members.items()})
    return compress(b"".join([sizes, b"\n", *members.values()]), least=_WORTH_COMPRESSING)


def unpack(body: bytes | None, intact: bytes, subject: object) -> Members:
    """Return the members of a body by name.

    Args:
        intact: the digest of what was written.

    Raises:
        CheckpointCorrupted: it is not what was written.
    """
    if digest(body or b"") != intact:
        raise CheckpointCorrupted(subject, "the digest of its payload does not match")
    if body is None:
        return {}
    try:
        line, _, texts = decompress(body).partition(b"\n")
        members: dict[Member, bytes] = {}
        at = 0
        for name, size in orjson.loads(line).items():
            members[name] = texts[at : at + size]
            at += size
    except (ValueError, AttributeError, TypeError) as error:
        raise CheckpointCorrupted(subject, f"its payload cannot be read ({error})") from error
    if at != len(texts):
        raise CheckpointCorrupted(subject, "its payload is longer or shorter than it says")
    return members
