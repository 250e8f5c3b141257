"""Reads the file and the environment, checks them as a whole, notes where each value is from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeAlias

from ...domain.errors import InvalidConfiguration
from .file import ConfigurationFile, find_file, read_file
from .origin import Origin
from .values import CommandHandler, Configuration

# Texts that are taken as they are: for them alone nothing has to be loaded that checks.
_PLAIN = {"HOLDFAST_STORE": "store", "HOLDFAST_APP": "app"}
_PROGRAM = re.compile(r"[^:\s]+:[^:\s]+")
_FILE = "HOLDFAST_CONFIG"
Mistake: TypeAlias = tuple[tuple[str, ...], str]
"""The key that it is about, and what is wrong."""

_PREFIX, _RESERVED = "HOLDFAST_", "HOLDFAST_RUN_"


def load(
    file: str | os.PathLike[str] | None,
    *,
    folder: str | os.PathLike[str],
    environ: Mapping[str, str],
) -> Configuration:
    """Return what is configured; raises `InvalidConfiguration` with all that is wrong."""
    # A variable that is set to nothing is not set: it is how scripts leave one out.
    given = {
        name: text
        for name, text in environ.items()
        if name.startswith(_PREFIX) and not name.startswith(_RESERVED) and text
    }
    named = file if file is not None else given.pop(_FILE, None)
    found = read_file(Path(named)) if named is not None else find_file(Path(folder))
    given.pop(_FILE, None)
    if set(given) <= set(_PLAIN) and (found is None or _is_plain(found.tree)):
        return _plain(found, given)
    return _checked(found, given)


def _is_plain(tree: Mapping[str, Any]) -> bool:
    """Whether a file says no more than store and app, and that rightly."""
    return all(
        isinstance(value, str)
        and (value.isprintable() and value != "" if key == "store" else _PROGRAM.fullmatch(value))
        for key, value in tree.items()
    ) and set(tree) <= {"store", "app"}


def _plain(file: ConfigurationFile | None, given: Mapping[str, str]) -> Configuration:
    values: dict[str, Any] = dict(file.tree) if file is not None else {}
    origins = {key: Origin("file", file.place_of((key,))) for key in values} if file else {}
    for name, text in given.items():
        values[_PLAIN[name]] = text
        origins[_PLAIN[name]] = Origin("environment", name)
    return _configuration(values, origins, file)


def _checked(file: ConfigurationFile | None, given: Mapping[str, str]) -> Configuration:
    from pydantic import TypeAdapter, ValidationError

    from .mistakes import mistakes_in, unknown_variable
    from .schema import FileTable
    from .variables import values_of, variable_of, variables

    known = variables()
    by_variable = values_of(given)
    origins = {path: Origin("environment", variable_of(path)) for path in by_variable}

    def place_of(path: tuple[str, ...]) -> str:
        if path in origins:
            return origins[path].place
        return file.place_of(path) if file is not None else "configuration"

    wrong: list[Mistake] = [
        ((name,), unknown_variable(name, given[name])) for name in given if name not in known
    ]
    tree = _merged(file.tree if file is not None else {}, by_variable)
    try:
        checked = TypeAdapter(FileTable).validate_python(tree)
    except ValidationError as error:
        wrong += mistakes_in([dict(each) for each in error.errors()], place_of)
        checked = FileTable()
    wrong += _contradictions(tree, place_of)
    if wrong:
        keys = [".".join(path) for path, _ in wrong]
        raise InvalidConfiguration([text for _, text in wrong], keys)
    for path in _leaves(checked):
        if path not in origins and file is not None:
            origins[path] = Origin("file", file.place_of(path))
    by_key = {".".join(path): origin for path, origin in origins.items()}
    return _configuration(dict(checked), by_key, file)


def _merged(tree: Mapping[str, Any], over: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    merged = {
        key: _merged(each, {}) if isinstance(each, dict) else each for key, each in tree.items()
    }
    for path, value in over.items():
        table: Any = merged
        for name in path[:-1]:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                break  # not a table: said of the file
        else:
            table[path[-1]] = value
    return merged


def _contradictions(tree: Mapping[str, Any], place_of: Any) -> list[Mistake]:
    """Return what is wrong between keys that are right each by itself."""
    wrong: list[Mistake] = []
    supervise = tree.get("supervise")
    if isinstance(supervise, dict) and {"purge_every", "purge_at"} <= set(supervise):
        path = ("supervise", "purge_at")
        other = place_of(("supervise", "purge_every"))
        text = f"supervise.purge_at: purge_every is given as well ({other}); give one of them"
        wrong.append((path, f"{place_of(path)}: {text}"))
    handlers = tree.get("handlers")
    for name, table in handlers.items() if isinstance(handlers, dict) else ():
        if isinstance(table, dict) and "command" not in table:
            path = ("handlers", name)
            wrong.append((path, f"{place_of(path)}: handlers.{name} has no command; give one"))
    return wrong


def _leaves(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    return [
        leaf
        for key, each in tree.items()
        for leaf in (_leaves(each, (*path, key)) if isinstance(each, dict) else [(*path, key)])
    ]


def _configuration(
    checked: dict[str, Any], origins: dict[str, Origin], file: ConfigurationFile | None
) -> Configuration:
    folder = file.path.parent if file is not None else None
    if folder is not None:
        # In a file, paths begin where the file is: it serves all folders below.
        if "store" in checked and origins["store"].kind == "file":
            checked["store"] = _store_below(folder, checked["store"])
        if "file" in checked.get("log", {}) and origins["log.file"].kind == "file":
            checked["log"]["file"] = str(folder / Path(checked["log"]["file"]).expanduser())
    if "purge_at" in checked.get("supervise", {}):
        checked["supervise"]["purge_every"] = None
    handlers = {
        name: CommandHandler(**{**table, "command": _command_below(folder, table["command"])})
        for name, table in checked.pop("handlers", {}).items()
    }
    config: Configuration = _filled(Configuration(), checked)
    return replace(
        config, handlers=handlers, origins=origins, file=file.path if file is not None else None
    )


def _filled(default: Any, given: Mapping[str, Any]) -> Any:
    """Return a copy of *default*, a dataclass, with what is given in place of its values."""
    names = {each.name for each in fields(default)}
    return replace(
        default,
        **{
            name: _filled(getattr(default, name), value) if isinstance(value, dict) else value
            for name, value in given.items()
            if name in names
        },
    )


def _command_below(folder: Path | None, command: Sequence[str]) -> tuple[str, ...]:
    program, *arguments = command
    # Without a slash it is looked up in PATH.
    if folder is not None and "/" in program:
        program = str(folder / Path(program).expanduser())
    return (program, *arguments)


def _store_below(folder: Path, target: str) -> str:
    if target == "memory:":
        return target
    for prefix in ("sqlite:///", "json:", ""):
        if target.startswith(prefix):
            path = Path(target.removeprefix(prefix)).expanduser()
            return f"{prefix}{folder / path}"
    return target
