"""Where a fresh process finds a workflow's function: in its module, by name or by file."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any

from ..domain.errors import InvalidRequest
from ..domain.json_value import JsonObject
from ..domain.wording import shorten


def whereabouts_of(name: str, function: Callable[..., Any]) -> JsonObject:
    """Return where the function of workflow *name* is found; raises `InvalidRequest`."""
    module_name = getattr(function, "__module__", None) or ""
    qualified = getattr(function, "__qualname__", None)
    module = sys.modules.get(module_name)
    if qualified is None or "<" in qualified or module is None:
        raise InvalidRequest(
            f"workflow {name!r} is killed in a process of its own, which imports its function, and "
            f"{qualified or shorten(function)} is none that can be imported; define it at the top "
            "of a module, or give in_process=True"
        )
    return {
        "module": module_name,
        "file": getattr(module, "__file__", None),
        "name": qualified,
        "sys_path": [each for each in sys.path if isinstance(each, str)],
    }


def function_at(whereabouts: JsonObject) -> Callable[..., Any]:
    """Return the function that is found there."""
    module = _module(whereabouts["module"], whereabouts["file"])
    found: Any = module
    function: Callable[..., Any] = reduce(getattr, whereabouts["name"].split("."), found)
    return function


def _module(name: str, file: str | None) -> ModuleType:
    try:
        # The main module of a program is imported by its file, so that it is not run as one.
        found = importlib.import_module(name) if name != "__main__" else None
    except ModuleNotFoundError as error:
        if file is None or not name.startswith(error.name or name):
            raise
        found = None
    if found is not None and (file is None or _is_same(found.__file__, file)):
        return found
    return _from_file(name.strip("_"), Path(str(file)))


def _is_same(found: str | None, file: str) -> bool:
    return found is not None and Path(found).resolve() == Path(file).resolve()


def _from_file(name: str, file: Path) -> ModuleType:
    """Import a file that is in no package that can be imported, as pytest does with tests."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InvalidRequest(f"{file} cannot be imported; move the workflow into a module that can")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
