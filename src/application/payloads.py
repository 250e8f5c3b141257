"""Callers' values as what a checkpoint stores."""

from __future__ import annotations

from ..domain.errors import InvalidRequest
from ..domain.json_value import JsonValue
from ..domain.payload import JsonText, Payload
from ..domain.ports import Codec
from ..domain.scope import Scope


def payload_of(
    codec: Codec,
    *,
    state: JsonValue = None,
    patch: JsonValue = None,
    input: JsonValue = None,
    output: JsonValue = None,
    of: Scope | None = None,
) -> Payload:
    """Return the values as JSON text; what is ``None`` is left out.

    Args:
        of: whose input and output they are, for errors.

    Raises:
        StateNotSerializable, StateTooLarge: one of them cannot be stored; names it.
        InvalidRequest: state or patch is not an object.
    """
    whose = f" of {of}" if of is not None else ""
    return Payload(
        state=_object(codec, state, "state"),
        patch=_object(codec, patch, "patch"),
        input=codec.encode(input, f"input{whose}") if input is not None else None,
        output=codec.encode(output, f"output{whose}") if output is not None else None,
    )


def _object(codec: Codec, value: JsonValue, name: str) -> JsonText | None:
    if value is None:
        return None
    if type(value) is not dict:
        raise InvalidRequest(
            f"{name} must be a JSON object (a dict), not {type(value).__name__}; put it under a key"
        )
    return codec.encode(value, name)
