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
    return Payload(
        _object(codec, state, "state") if state is not None else None,
        _object(codec, patch, "patch") if patch is not None else None,
        codec.encode(input, _whose("input", of)) if input is not None else None,
        codec.encode(output, _whose("output", of)) if output is not None else None,
    )


def _whose(name: str, of: Scope | None) -> str:
    return name if of is None else f"{name} of {of}"


def _object(codec: Codec, value: JsonValue, name: str) -> JsonText:
    if type(value) is not dict:
        raise InvalidRequest(
            f"{name} must be a JSON object (a dict), not {type(value).__name__}; put it under a key"
        )
    return codec.encode(value, name)
