"""What the documents of each kind must look like.

A digest tells damage; whoever edits a file by hand may well put its digest right. What they made of
it is told as damage too, by the place where it is wrong, and never trips whoever reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

# The types that are allowed; an object with at least these members; an array of such; a check.
Shape: TypeAlias = tuple[type, ...] | Mapping[str, "Shape"] | list["Shape"] | Callable[[Any], bool]

_NONE = type(None)


def misshapen(value: Any, shape: Shape, path: str = "") -> str | None:
    """Return the path to the first thing in *value* that is not so; ``None`` if all is well.

    >>> misshapen({"a": [1, "x"]}, {"a": [(int,)]})
    '.a[1]'
    """
    if isinstance(shape, tuple):
        return None if type(value) in shape else path  # exactly: a bool is no number
    if isinstance(shape, Mapping):
        if type(value) is not dict:
            return path
        return _first(
            misshapen(value.get(key), each, f"{path}.{key}") for key, each in shape.items()
        )
    if isinstance(shape, list):
        if type(value) is not list:
            return path
        return _first(misshapen(each, shape[0], f"{path}[{n}]") for n, each in enumerate(value))
    return None if shape(value) else path


def _first(found: Any) -> str | None:
    return next((each for each in found if each is not None), None)


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def _optional(shape: Shape) -> Shape:
    return lambda value: value is None or misshapen(value, shape) is None


_TEXT: Shape = (str,)
_TEXT_OR_NONE: Shape = (str, _NONE)
_OBJECT: Shape = (dict,)
_PAYLOAD: Mapping[str, Shape] = {
    "state": (dict,),
    "patch": (dict,),
    "input": lambda _: True,
    "output": lambda _: True,
}


def _is_payload(value: Any) -> bool:
    return type(value) is dict and all(
        name in _PAYLOAD and misshapen(each, _PAYLOAD[name]) is None for name, each in value.items()
    )


def _is_range(value: Any) -> bool:
    return (
        type(value) is list
        and len(value) == 3
        and _count(value[0])
        and _count(value[1])
        and _is_time(value[2])
    )


_ERROR: Shape = {"type": _TEXT, "message": _TEXT, "traceback": _TEXT}
_OWNER: Shape = {
    "host": _TEXT,
    "boot_id": _TEXT_OR_NONE,
    "pid_namespace": _TEXT_OR_NONE,
    "pid": _count,
    "started": _optional(_count),
}
_CHAINED: Shape = {
    "link": _TEXT,
    "before": _TEXT_OR_NONE,
    "before_that": _TEXT_OR_NONE,
    "context": _optional(_count),
    "context_size": _count,
    "rows": _count,
    "bytes": _count,
}
_SCOPE: Shape = {
    "scope": _TEXT,
    "state": _OBJECT,
    "title": _TEXT_OR_NONE,
    "kind": _TEXT_OR_NONE,
    "handler": _TEXT_OR_NONE,
    "opening": _optional(_count),
    "since": _optional(_is_time),
    "until": _optional(_is_time),
    "is_open": (bool,),
    "is_finished": (bool,),
}

SHAPES: Mapping[str, Shape] = {
    "checkpoint": {
        "id": _TEXT,
        "number": _count,
        "type": _TEXT,
        "status": _TEXT,
        "name": _TEXT_OR_NONE,
        "kind": _TEXT_OR_NONE,
        "created_at": _is_time,
        "updated_at": _is_time,
        "parent": _TEXT_OR_NONE,
        "depends_on": [_TEXT],
        "resume_handler": _TEXT_OR_NONE,
        "retry_count": _count,
        "max_retries": _count,
        "epoch": _count,
        "taken_over": _optional(_count),
        "error": _optional(_ERROR),
        "reason": _TEXT_OR_NONE,
        "due_at": _optional(_is_time),
        "schema_version": _count,
        "metadata": _OBJECT,
        "payload": _is_payload,
        "payload_as_written": _TEXT,
        "base": _optional([_SCOPE]),
        "opening": _TEXT_OR_NONE,
        "chained": _CHAINED,
    },
    "events": {
        "workflow_id": _TEXT,
        "events": [
            {
                "number": _count,
                "kind": _TEXT,
                "at": _is_time,
                "checkpoint": _TEXT_OR_NONE,
                "epoch": _optional(_count),
                "correlation_id": _TEXT_OR_NONE,
                "detail": _OBJECT,
            }
        ],
    },
    "lease": {
        "resource": _TEXT,
        "epoch": _count,
        "token": _TEXT_OR_NONE,
        "owner": _OWNER,
        "duration": (float, int),
        "taken_at": _is_time,
        "renewed_at": _is_time,
        "renewed_boot_id": _TEXT_OR_NONE,
        "renewed_uptime_ns": (int,),
        "stop_asked_at": _optional(_is_time),
    },
    "attempt": {
        "workflow_id": _TEXT,
        "number": _count,
        "epoch": _count,
        "handler": _TEXT_OR_NONE,
        "owner": _OWNER,
        "correlation_id": _TEXT_OR_NONE,
        "begun_at": _is_time,
        "begun_after": _count,
        "target": _TEXT_OR_NONE,
        "ended_at": _optional(_is_time),
        "outcome": _TEXT_OR_NONE,
        "error": _optional(_ERROR),
        "output_tail": _TEXT_OR_NONE,
    },
    "retention": {
        "workflow_id": _TEXT,
        "purged": [_is_range],
        "days": _TEXT_OR_NONE,
        "count": _optional(_count),
    },
    "latest": {
        "workflow_id": _TEXT,
        "head": _TEXT_OR_NONE,
        "head_type": _TEXT_OR_NONE,
        "chained": _optional(_CHAINED),
        "checkpoints": (int,),
        "floor": _count,
        "branched": (bool,),
        "opening": _TEXT_OR_NONE,
        "status": _TEXT_OR_NONE,
        "handler": _TEXT_OR_NONE,
        "unfinished": [_TEXT],
        "epoch": _count,
    },
    "context": {"id": _TEXT, "link": _TEXT, "scopes": [_SCOPE]},
    "unfinished": {"workflows": [_TEXT]},
    "failures": {"failures": [_OBJECT]},
    "index": {"first": _count, "entries": [_TEXT]},
}
