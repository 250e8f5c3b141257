"""A process that has imported a workflow, and executes it in children that may be killed.

A child is a fork of a process that has done nothing but import: it has the memory of a fresh
process, without the time that starting one takes.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from ..domain.json_value import JsonObject
from ..interface.bootstrap import make_kernel
from ..interface.registry import Registry
from .execution import Execution, execute
from .whereabouts import function_at

# What an engine imports when it is first needed: once here, and not in each child.
_NEEDED = (
    "application.commands.finish_attempt",
    "application.queries.rebuild_context",
    "application.runs.start",
    "infrastructure.json_files.store",
    "infrastructure.sqlite.store",
    "interface.async_run",
    "interface.drivers.async_driver",
    "interface.drivers.sync_driver",
    "interface.orders",
    "interface.run",
)


def main() -> None:
    """Import what the first line of standard input names; execute what each other line does.

    For each a line of JSON comes back, with how the child ended.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the program prints is none
    setup = json.loads(sys.stdin.readline())
    for name in _NEEDED:
        importlib.import_module(f"..{name}", __package__)
    try:
        function = function_at(setup["function"])
    except BaseException as error:  # noqa: BLE001 - told to whoever asks
        _answer(answers, {"trouble": f"{type(error).__name__}: {error}"})
        return
    _answer(answers, {"trouble": None})
    for line in sys.stdin:
        order = json.loads(line)
        _answer(answers, {"status": _in_child(order, function)})


def _answer(answers: Any, word: JsonObject) -> None:
    answers.write(json.dumps(word) + "\n")
    answers.flush()


def _in_child(order: JsonObject, function: Callable[..., Any]) -> int:
    """Execute in a child; return its exit code, negative for a signal."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)
    status = 70
    try:
        _run(order, function)
        status = 0
    except BaseException:  # noqa: BLE001 - a child must not go on as its parent
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _run(order: JsonObject, function: Callable[..., Any]) -> None:
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(0)
    # No handler: whatever the workflow does, or waits for, this ends it.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, order["timeout"])
    execution = Execution(**order["execution"])
    registry = Registry()
    registry.workflow(execution.workflow, **order["options"])(function)
    kernel = make_kernel(
        execution.target,
        registry=registry,
        # A kill is no power cut.
        durability="process",
        settings=order["settings"],
    )
    outcome = execute(kernel, execution, _kill_this)
    kernel.store.close()
    Path(order["outcome"]).write_text(json.dumps(outcome.to_dict()))


def _kill_this() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL ends a process")
