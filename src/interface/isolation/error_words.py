"""An error on its way from the process in which it was raised to the one that records it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...application.runs.session import store_trouble_in
from ...domain import errors
from ...domain.error_record import ErrorRecord
from ...domain.errors import HandlerFailed, HoldfastError
from ...domain.json_value import JsonObject


def word_of(error: BaseException) -> JsonObject:
    """Return what is told of an error: as it will be recorded, and what callers catch it by."""
    trouble = store_trouble_in(error)
    if trouble is not None:
        error = trouble  # not the handler's failure, whatever group it came in
    record = ErrorRecord.of(error)
    told: JsonObject = {
        "error": {"type": record.type, "message": record.message, "traceback": record.traceback}
    }
    if isinstance(error, HoldfastError):
        told["kind"] = type(error).__name__
        told["text"] = str(error)
        told["attributes"] = {
            name: packed
            for name, value in vars(error).items()
            if (packed := _packed(value)) is not None
        }
    return told


def error_in(word: JsonObject, handler: str) -> HoldfastError:
    """Return the error that was told: Holdfast's own as they were, all others as `HandlerFailed`.

    It is recorded with the type, the message and the traceback that it had where it was raised.
    """
    record = ErrorRecord(**word["error"])
    kind = getattr(errors, str(word.get("kind")), None)
    if isinstance(kind, type) and issubclass(kind, HoldfastError):
        error = kind.__new__(kind)
        error.args = (word["text"],)
        for name, packed in word["attributes"].items():
            setattr(error, name, _unpacked(packed))
    else:
        error = HandlerFailed(handler, record)
    error.recorded_as = record
    error.add_note(f"raised in a process of its own:\n{record.traceback}")
    return error


def _packed(value: object) -> list[Any] | None:
    if value is None or isinstance(value, str | int | float | bool):
        return ["plain", value]
    if isinstance(value, datetime):
        return ["time", value.isoformat()]
    if isinstance(value, tuple | list) and all(isinstance(each, str) for each in value):
        return ["texts", list(value)]
    return None


def _unpacked(packed: list[Any]) -> object:
    kind, value = packed
    if kind == "time":
        return datetime.fromisoformat(value)
    return tuple(value) if kind == "texts" else value
