"""Finding the registry or the engine of a program, as ``--app MODULE:ATTRIBUTE`` names it."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path

import click

from ..engine import Engine
from ..registry import Registry


def load(name: str, folder: Path | None = None) -> Registry | Engine:
    """Import the program and return its registry or engine; a function is asked for one.

    The working folder is on the import path, as it is for ``python -m``.

    Args:
        folder: of the configuration file that names it, which is on the import path then, too.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise click.UsageError(f"--app {name} must read MODULE:ATTRIBUTE, for example crew:app.")
    for each in (folder, Path.cwd()):
        if each is not None and str(each) not in sys.path:
            sys.path.insert(0, str(each))
    found = _attribute(_module(module_name, name), attribute, name)
    if callable(found) and not isinstance(found, Registry | Engine):
        found = _made_by(found, name)
    if isinstance(found, Registry | Engine):
        return found
    raise click.UsageError(
        f"--app {name} is {type(found).__name__}; name a holdfast.Registry, an Engine, or a "
        "function that gives one."
    )


def _made_by(function: Callable[..., object], name: str) -> object:
    try:
        inspect.signature(function).bind()
    except (TypeError, ValueError) as error:
        raise click.UsageError(
            f"--app {name} is a function that cannot be called without arguments ({error}); name "
            "the registry that it is registered in, or a function that gives one."
        ) from error
    return function()


def _module(module_name: str, name: str) -> object:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        if module_name == missing or module_name.startswith(f"{missing}."):
            raise click.UsageError(
                f"--app {name}: there is no module {missing!r} here; look at the working folder "
                "and at the environment."
            ) from error
        raise


def _attribute(found: object, path: str, name: str) -> object:
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise click.UsageError(f"--app {name}: {error}.") from error
    return found
