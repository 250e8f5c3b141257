"""What is wrong with a configuration, in the words of whoever has to mend it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...domain.wording import near_names, shorten
from .schema import KeyPath, allowed_at, every_key, keys_of, table_at
from .variables import PREFIX, variables

# What pydantic ends the place of an error with when a name is wrong, and not what it stands for.
_OF_A_NAME = "[key]"

PlaceOf = Callable[[KeyPath], str]


def mistakes_in(
    errors: Sequence[Mapping[str, Any]], place_of: PlaceOf
) -> list[tuple[KeyPath, str]]:
    """Return the key and the text of each thing that pydantic found wrong, each key once.

    Args:
        place_of: says where a key was given.
    """
    found: dict[KeyPath, str] = {}
    for error in errors:
        path = _path_of(error["loc"])
        if path not in found:
            found[path] = f"{place_of(path)}: {_text(path, error)}"
    return list(found.items())


def unknown_variable(name: str, text: str) -> str:
    """Return what is wrong with a variable that sets nothing."""
    if name.startswith(f"{PREFIX}HANDLERS"):
        return f"{name} = {shorten(text)}: handlers are configured in a file, not by variables"
    near = near_names(name, [*variables(), f"{PREFIX}CONFIG"])
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    return (
        f"{name} = {shorten(text)}: there is no such variable{meant} "
        f"(names that begin with {PREFIX} are kept for the configuration)"
    )


def _path_of(loc: Sequence[Any]) -> KeyPath:
    """Return the key that is meant: items of lists, and what pydantic adds, left out."""
    path: KeyPath = ()
    for part in loc:
        here = table_at(path)
        if path != ("handlers",) and here is None:
            break
        if not isinstance(part, str) or part == _OF_A_NAME:
            break
        path = (*path, part)
    return path


def _text(path: KeyPath, error: Mapping[str, Any]) -> str:
    key, value = ".".join(path), shorten(error["input"])
    if error["type"] == "extra_forbidden":
        return f"{key} = {value}: there is no such key{_meant(path)}"
    if error["loc"][-1] == _OF_A_NAME:
        return f"no handler can be called {value}: {error['ctx']['error']}"
    return f"{key} = {value}: give {allowed_at(path)}"


def _meant(path: KeyPath) -> str:
    """Return the keys that were probably meant: of the same table, or of another."""
    table = table_at(path[:-1])
    siblings = list(keys_of(table)) if table is not None else []
    here = path[:-1]
    near = [".".join((*here, each)) for each in near_names(path[-1], siblings)]
    every = [each for each, _ in every_key()]
    if not near:
        leaves = {each[-1] for each in every}
        names = (path[-1],) if path[-1] in leaves else near_names(path[-1], leaves)
        near = [".".join(each) for name in names for each in every if each[-1] == name]
    if not near:
        near = list(near_names(".".join(path), [".".join(each) for each in every]))
    meant = f"; did you mean {' or '.join(near[:3])}?" if near else ""
    return f"{meant} (known here: {', '.join(siblings)})"
