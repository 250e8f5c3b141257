"""What the embedding program takes out of metadata and errors before they are stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeAlias, TypeVar

from ..domain.error_record import ErrorRecord
from ..domain.json_value import JsonValue, check_json
from .scribe import Entry

C = TypeVar("C")

Redact: TypeAlias = Callable[[str, JsonValue], JsonValue]
"""Gets a place and the value there, returns what is to be stored in its stead.

Places are ``metadata.KEY`` (any JSON value), ``error.message``, ``error.traceback`` and
``output_tail`` (texts). It is called outside of transactions, and from any thread.
"""


def redacted(command: C, redact: Redact) -> C:
    """Return a copy of a command in which metadata and errors are as *redact* would have them.

    What it raises about metadata is raised, and nothing is written. An error is recorded whatever
    happens: where it raises about one, that text is left out.
    """
    if not is_dataclass(command) or isinstance(command, type):
        return command
    changes: dict[str, Any] = {}
    for each in fields(command):
        value = getattr(command, each.name)
        if isinstance(value, ErrorRecord):
            changes[each.name] = _error(value, redact)
        elif isinstance(value, Entry) and value.metadata:
            changes[each.name] = replace(value, metadata=_metadata(value.metadata, redact))
        elif each.name == "output_tail" and isinstance(value, str):
            changes[each.name] = _text("output_tail", value, redact)
    return replace(command, **changes) if changes else command


def _metadata(metadata: dict[str, JsonValue], redact: Redact) -> dict[str, JsonValue]:
    kept = {key: redact(f"metadata.{key}", value) for key, value in metadata.items()}
    check_json(kept, "metadata, as redact returned it")
    return kept


def _error(error: ErrorRecord, redact: Redact) -> ErrorRecord:
    return ErrorRecord(
        error.type,
        _text("error.message", error.message, redact),
        _text("error.traceback", error.traceback, redact),
    )


def _text(place: str, text: str, redact: Redact) -> str:
    if not text:
        return text
    try:
        kept = redact(place, text)
    except Exception as error:  # noqa: BLE001 - the failure itself must be recorded all the same
        return f"(left out: redact raised {type(error).__name__})"
    if not isinstance(kept, str):
        return f"(left out: redact returned {type(kept).__name__}, not a text)"
    return kept
