"""What commands print with ``--json``: the names of the Python attributes, ids as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import orjson

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.execution_context import ExecutionContext
from ...domain.recoverability import Obstacle
from ...domain.replay import Replay
from ...domain.scope import Scope

_HEADER = (
    "id",
    "type",
    "status",
    "name",
    "created_at",
    "updated_at",
    "parent_id",
    "depends_on",
    "resume_handler",
    "retry_count",
    "max_retries",
    "epoch",
    "error",
    "reason",
    "due_at",
    "schema_version",
    "metadata",
)

# What a plan comes to, and what it works on.
_PLAN_FIRST = ("verdict", "would_kill")
_PLAN_LAST = ("target_scope", "open_scopes")


def to_text(value: Any) -> str:
    """Return a value as indented JSON text."""
    plain = to_json(value)
    try:
        return orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode()
    except TypeError:  # integers of more than 64 bits
        return json.dumps(plain, indent=2, ensure_ascii=False)


def to_json(value: Any) -> Any:
    """Return a value as JSON holds it; private attributes are left out."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, CheckpointId | Scope | Obstacle):
        return str(value)
    if isinstance(value, ExecutionContext):
        return to_json(value.to_dict())
    if isinstance(value, Checkpoint):
        return header(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        # What has no place in a repr, the token of a lease, has none on a screen either.
        names = [each.name for each in fields(value) if each.repr and each.name[0] != "_"]
        if type(value).__name__ == "RecoveryPlan":  # known by name: loading it takes long
            names = [*_PLAN_FIRST, *names, *_PLAN_LAST]
        found = {name: getattr(value, name) for name in names}
        return {name: to_json(each) for name, each in found.items() if type(each) is not Replay}
    raise TypeError(f"{type(value).__name__} has no JSON form")


def header(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return a checkpoint without what it holds."""
    return {name: to_json(getattr(checkpoint, name)) for name in _HEADER}


def whole(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return a checkpoint with its state, input and output."""
    held = ("state", "input", "output")
    return header(checkpoint) | {name: getattr(checkpoint, name) for name in held}


def with_snapshots(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return a checkpoint with all that it holds and adds up to."""
    snapshots = ("workflow", "stage", "agent")
    return whole(checkpoint) | {name: to_json(getattr(checkpoint, name)) for name in snapshots}
