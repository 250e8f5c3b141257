"""What runs in a handler's own process: finds the handler, takes part in the lease, tells."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import FrameType
from typing import Any, NoReturn

from ...application.runs.flow import Carry
from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import InvalidRequest
from ...domain.json_value import JsonObject
from ...domain.run_handover import handed_over
from ...domain.scope import Scope
from ..bootstrap import make_kernel
from ..drivers.sync_driver import SyncDriver
from .attached import attach
from .error_words import word_of
from .launching import find

Tell = Callable[[bytes], None]


class _Terminated(SystemExit):
    """SIGTERM, as the handler's code meets it: its ``finally`` blocks run."""


def main(task: JsonObject, tell: Tell) -> int:
    """Run the handler that *task* names and tell what it returned, or raised."""
    # What is printed is seen as it comes, as on a terminal, and not lost when this is killed.
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, _terminate)
    try:
        word, status = _result(task), 0
    except _Terminated:
        _end_by_sigterm()
    except BaseException as error:  # noqa: BLE001 - recorded by whoever watches
        word, status = _encoded(word_of(error)), 1
    tell(word)
    return status


def _result(task: JsonObject) -> bytes:
    handover = handed_over(os.environ)
    if handover is None:
        raise InvalidRequest("a worker is started by the run that it belongs to")
    spec = find(task)
    kernel = make_kernel(
        handover.store,
        settings=task["settings"],
        durability=task["durability"],
        upgrade=False,
        create=False,
    )
    head = CheckpointId.parse(task["head"]) if task["head"] is not None else None
    session = attach(kernel, handover, scope=Scope.parse(task["scope"]), head=head)
    # Its time is taken by the process that watches.
    inline = replace(spec, isolation="inline")
    value = _carried(SyncDriver(kernel), Carry(inline, session, None))
    text = kernel.codec.encode(value, f"result of {spec.name}")
    kernel.store.close()
    return b'{"result":' + text + b"}"


def _carried(driver: SyncDriver, carry: Carry) -> Any:
    """Return what the handler returned; raise `Waiting` where that is what it ended for."""
    error: Exception | None = None
    try:
        value = driver.perform_carry(carry)
    except Exception as raised:
        error = raised
        waiting = carry.session.wait_in(error)
        if waiting is None or waiting is error:
            raise
    else:
        waiting = carry.session.wait_in(None)
        if waiting is None:
            return value
    raise waiting from error


def _encoded(word: JsonObject) -> bytes:
    import json

    return json.dumps(word).encode()


def _terminate(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    raise _Terminated(128 + number)


def _end_by_sigterm() -> NoReturn:
    """Let the process be seen to have been ended by SIGTERM, as it was."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
    raise AssertionError("SIGTERM ends a process")
