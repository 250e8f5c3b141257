"""The configuration file: finding it and reading it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...domain.errors import InvalidConfiguration

NAME = "holdfast.toml"
PROJECT = "pyproject.toml"
# The deepest key there is has four; a project has tables of others.
_MOST_LEVELS = 50

# Every way in which TOML can begin the table: [tool.holdfast], or within [tool] or tool = {...}.
_SPEAKS_OF_US = re.compile(
    r"""tool["']?\s*\.\s*["']?holdfast|^\s*\[?\s*["']?tool["']?\s*[\]=]""", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class ConfigurationFile:
    """What stands in a file, or in its table ``[tool.holdfast]``.

    Attributes:
        root: the table that is the configuration, within the file.
    """

    path: Path
    text: str
    tree: dict[str, Any]
    root: tuple[str, ...] = ()

    def place_of(self, key: tuple[str, ...]) -> str:
        """Return where the key at that path stands: the file and, where it can be had, the line."""
        from .toml_lines import line_of

        line = line_of(self.text, self.root + key)
        name = shown(self.path)
        return f"{name}:{line}" if line else name


def find_file(folder: Path) -> ConfigurationFile | None:
    """Return the nearest file from *folder* upwards; ``holdfast.toml`` goes before the other."""
    folder = folder.absolute()
    for each in (folder, *folder.parents):
        own, project = each / NAME, each / PROJECT
        if own.is_file():
            return read_file(own)
        if project.is_file() and (found := _in_project(project)) is not None:
            return found
    return None


def read_file(path: Path) -> ConfigurationFile:
    """Read the file that was named; raises `InvalidConfiguration` if it is none."""
    path = path.absolute()
    if path.name == PROJECT:
        found = _in_project(path)
        if found is None:
            raise InvalidConfiguration([f"{shown(path)} has no table [tool.holdfast]"])
        return found
    text = _text(path)
    return ConfigurationFile(path, text, _parsed(text, path))


def shown(path: Path) -> str:
    """Return a path as messages show it: short, where it is in the working folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _in_project(path: Path) -> ConfigurationFile | None:
    text = _text(path)
    if not _SPEAKS_OF_US.search(text):
        return None  # most of them: not worth a parser
    tree = _parsed(text, path)
    tool = tree.get("tool")
    if not isinstance(tool, dict) or "holdfast" not in tool:
        return None
    own = tool["holdfast"]
    if not isinstance(own, dict):
        raise InvalidConfiguration([f"{shown(path)}: tool.holdfast must be a table"])
    return ConfigurationFile(path, text, own, ("tool", "holdfast"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidConfiguration([f"there is no configuration file {shown(path)}"]) from None
    except OSError as error:
        why = error.strerror or os.strerror(error.errno or 0)
        raise InvalidConfiguration([f"{shown(path)} cannot be read: {why}"]) from error
    except ValueError as error:
        raise InvalidConfiguration([f"{shown(path)} is not UTF-8 text: {error}"]) from error


def _parsed(text: str, path: Path) -> dict[str, Any]:
    import tomllib

    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfiguration([f"{shown(path)} is not TOML: {error}"]) from error
    except RecursionError:
        tree = None
    if tree is None or _is_deep(tree):
        raise InvalidConfiguration([f"{shown(path)} nests more than {_MOST_LEVELS} levels"])
    return tree


def _is_deep(tree: dict[str, Any]) -> bool:
    """Whether anything is deeper than all that reads it later may be."""
    level: list[Any] = [tree]
    for _ in range(_MOST_LEVELS):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return any(isinstance(each, dict | list) for each in level)
