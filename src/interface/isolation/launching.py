"""What a fresh process must be told to find a handler: by its program, or by its function."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import reduce
from pathlib import Path
from typing import Any

from ...application.redaction import Redact
from ...application.runs.session import Session
from ...domain.errors import HandlerNotFound, InvalidRequest
from ...domain.json_value import JsonObject
from ...domain.ports import HandlerSpec
from ..kernel import Kernel
from ..registry import Registry, require_importable

# A program's own module goes by this name where it is imported by a child of it: its
# ``if __name__ == "__main__"`` does not run there.
_MAIN = ("__main__", "__mp_main__")


def task_of(spec: HandlerSpec, session: Session, kernel: Kernel) -> JsonObject:
    """Return what the worker is told: which handler, where to find it, how to open the store."""
    task: JsonObject = {
        "handler": spec.name,
        "scope": str(session.scope),
        "head": str(session.past.head) if session.past.head is not None else None,
        "settings": asdict(kernel.settings),
        "durability": kernel.durability,
        "log": _log(kernel),
        "sys_path": [each for each in sys.path if isinstance(each, str)],
    }
    if spec.program is not None:
        return task | {"program": spec.program}
    require_importable(spec.name, spec.function)
    task["function"] = _named(spec.function, spec)
    redact = kernel.dispatcher.redact
    if redact is not None:
        require_importable(spec.name, redact, what="redact=")
        task["redact"] = _named(redact, spec)
    return task


def find(task: JsonObject) -> tuple[HandlerSpec, Redact | None]:
    """Return the handler that *task* names, to be run in this process, and what redacts."""
    sys.path[:] = task["sys_path"]
    if "program" in task:
        return _in_program(task)
    redact = _function(task["redact"]) if "redact" in task else None
    return HandlerSpec(task["handler"], _function(task["function"]), None), redact


def _in_program(task: JsonObject) -> tuple[HandlerSpec, Redact | None]:
    from ..cli.program import load

    # It is found where the other process found it, and nowhere else.
    found = load(task["program"], Path(sys.path[0]))
    registry = found if isinstance(found, Registry) else found.registry
    spec = registry.get(task["handler"])
    if spec is None:
        raise HandlerNotFound(task["handler"], registry.names())
    if isinstance(found, Registry):
        return spec, registry.redact
    return spec, found._kernel.dispatcher.redact  # noqa: SLF001 - it was made by the program


def _named(function: Callable[..., Any], spec: HandlerSpec) -> JsonObject:
    named: JsonObject = {"module": function.__module__, "name": function.__qualname__}
    if function.__module__ in _MAIN:
        named["main"] = _main_module(spec)
    return named


def _log(kernel: Kernel) -> JsonObject | None:
    """Return how the log is written: to the same file or stream, in the same form."""
    if kernel.log is None:
        return None
    log = kernel.log
    if log.form == "auto" and log.file is None:
        # What the child has there is a pipe, whatever it ends in.
        shows = sys.stderr is not None and sys.stderr.isatty()
        log = replace(log, form="console" if shows else "json")
    return asdict(log)


def _function(found: JsonObject) -> Any:
    module = found["module"]
    if "main" in found:
        from multiprocessing import spawn

        spawn.prepare(found["main"])
        module = _MAIN[1]
    try:
        return reduce(getattr, found["name"].split("."), importlib.import_module(module))
    except AttributeError as error:
        raise InvalidRequest(
            f"{found['name']} is not found in {found['module']} when a process of its own imports "
            "it; define it at the top of the module"
        ) from error


def _main_module(spec: HandlerSpec) -> JsonObject:
    """Return where the program's own module is found, as `multiprocessing` finds it."""
    from multiprocessing import spawn

    data = spawn.get_preparation_data("holdfast")
    main: JsonObject = {
        key: data[key]
        for key in ("init_main_from_name", "init_main_from_path", "sys_argv", "dir")
        if key in data
    }
    if "init_main_from_name" not in main and "init_main_from_path" not in main:
        raise InvalidRequest(
            f"handler {spec.name!r} is to run in a process of its own, and this program is in no "
            "file that it could be imported from; move the handler into a module"
        )
    return main
