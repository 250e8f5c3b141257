"""Executes a workflow in processes of their own, which a kill really ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from ..domain.errors import InvalidRequest
from ..domain.json_value import JsonObject
from ..domain.ports import HandlerSpec
from ..interface.settings import Settings
from .execution import Execution, Outcome
from .whereabouts import whereabouts_of

# With the path of this process, so that the same packages are found wherever they come from.
_PROGRAM = (
    "import json, sys\n"
    "sys.path[:] = json.loads(sys.argv[1])\n"
    f"from {__package__}.nursery import main\n"
    "main()\n"
)
# The order of sets of text is another one in each process: these are two that differ.
_HASH_SEEDS = ("1", "3")


class Processes:
    """Executes a workflow in processes of their own; a context manager.

    What is to be killed, and what carries it on, are forked from two processes that order their
    sets differently.
    """

    def __init__(self, spec: HandlerSpec, settings: Settings, timeout: float) -> None:
        if not hasattr(os, "fork"):
            raise InvalidRequest("real kills need a POSIX system; give in_process=True")
        self._function = whereabouts_of(spec.name, spec.function)
        self._options = {"timeout": spec.timeout, "max_retries": spec.max_retries}
        self._settings = asdict(settings)
        self._timeout = timeout
        self._stack = ExitStack()
        self._nurseries: Sequence[_Nursery] = ()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._nurseries = [
                stack.enter_context(_Nursery(self._function, seed)) for seed in _HASH_SEEDS
            ]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def execute(
        self, execution: Execution, *, again: bool = False, elsewhere: bool = False
    ) -> Outcome | None:
        """Return how it ended; ``None`` when it was killed.

        Args:
            again: whether this carries on what another execution left.
            elsewhere: whether it begins where others are carried on.
        """
        room = Path(execution.ledger).parent
        outcome, output = room / f"outcome-{int(again)}", room / "output"
        order = {
            "execution": asdict(execution),
            "options": self._options,
            "settings": self._settings,
            "timeout": self._timeout,
            "outcome": str(outcome),
            "output": str(output),
        }
        status = self._nurseries[again or elsewhere].ask(order)["status"]
        if status == 0:
            return Outcome.from_dict(json.loads(outcome.read_text()))
        if status == -signal.SIGKILL and execution.kill_at:
            return None
        said = output.read_text(errors="replace")[-2000:].strip()
        what = f"ended with {status}"
        if status == -signal.SIGALRM:
            what = f"did not end within {self._timeout:g} s"
        return Outcome(error=f"the process {what}; it printed: {said or 'nothing'}")


class _Nursery:
    """One process that has imported the workflow; see `nursery`."""

    def __init__(self, function: JsonObject, hash_seed: str) -> None:
        self._function = function
        self._process = subprocess.Popen(
            # -P: what lies in the working folder must not pass for the standard library.
            [sys.executable, "-P", "-c", _PROGRAM, json.dumps(function["sys_path"])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )

    def __enter__(self) -> Self:
        trouble = self.ask({"function": self._function})["trouble"]
        if trouble is not None:
            self.__exit__()
            raise InvalidRequest(
                f"a fresh process cannot import {self._function['module']}: {trouble}; give "
                "in_process=True, or move the workflow into a module that can be imported"
            )
        return self

    def __exit__(self, *error: object) -> None:
        with self._process:
            self._process.kill()

    def ask(self, order: JsonObject) -> dict[str, Any]:
        """Return the answer to one line."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - pipes were asked for
        assert stdout is not None  # noqa: S101
        try:
            stdin.write(json.dumps(order) + "\n")
            stdin.flush()
            answer = stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise InvalidRequest(
                "the process that executes the workflow ended by itself; see what it printed on "
                "standard error, or give in_process=True"
            )
        found: dict[str, Any] = json.loads(answer)
        return found
