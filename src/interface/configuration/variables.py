"""The environment variables that override a configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from .schema import KeyPath, every_key

PREFIX = "HOLDFAST_"
RESERVED = "HOLDFAST_RUN_"
"""What a run hands to its children: not configuration."""

_FLAGS = {"1": True, "true": True, "yes": True, "on": True}
_FLAGS |= {"0": False, "false": False, "no": False, "off": False}


def variables() -> dict[str, KeyPath]:
    """Return the key that each variable sets."""
    return {variable_of(path): path for path, _ in every_key()}


def variable_of(path: KeyPath) -> str:
    """Return the variable that sets the key at *path*.

    >>> variable_of(("engine", "lease"))
    'HOLDFAST_ENGINE_LEASE'
    """
    return PREFIX + "_".join(path).upper()


def values_of(given: Mapping[str, str]) -> dict[KeyPath, Any]:
    """Return the values that variables give; a text that is not of the right kind stays a text."""
    kinds = dict(every_key())
    known = variables()
    return {
        known[name]: _value(text, kinds[known[name]])
        for name, text in given.items()
        if name in known
    }


def _value(text: str, kind: Any) -> Any:
    while get_origin(kind) is not None and hasattr(kind, "__metadata__"):
        kind = get_args(kind)[0]
    try:
        if kind is bool:
            return _FLAGS.get(text.strip().lower(), text)
        if kind is int:
            return int(text)
        if kind is float:
            return float(text)
    except ValueError:
        pass  # said with what is allowed, by whoever checks it
    return text
