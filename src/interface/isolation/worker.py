"""What runs in a handler's own process: finds the handler, takes part in the lease, tells."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import FrameType
from typing import NoReturn

from ...application.runs.flow import Carry
from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import InvalidRequest
from ...domain.json_value import JsonObject
from ...domain.run_handover import handed_over
from ...domain.scope import Scope
from ..bootstrap import make_kernel
from ..drivers.sync_driver import SyncDriver
from ..log import Log
from .attached import attach
from .error_words import word_of
from .launching import find

Tell = Callable[[bytes], None]


class _Terminated(SystemExit):
    """SIGTERM, as the handler's code meets it: its ``finally`` blocks run."""


def main(task: JsonObject, tell: Tell, log: Callable[[str], None]) -> int:
    """Run the handler that *task* names and tell what it returned, or raised."""
    # What is printed is seen as it comes, as on a terminal, and not lost when this is killed.
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, _terminate)
    try:
        word, status = _result(task, log), 0
    except _Terminated:
        _end_by_sigterm()
    except BaseException as error:  # noqa: BLE001 - recorded by whoever watches
        word, status = _encoded(word_of(error)), 1
    tell(word)
    return status


def _result(task: JsonObject, log: Callable[[str], None]) -> bytes:
    handover = handed_over(os.environ)
    if handover is None:
        raise InvalidRequest("a worker is started by the run that it belongs to")
    spec, redact = find(task)
    kernel = make_kernel(
        handover.store,
        log=Log(**task["log"]) if task["log"] is not None else None,
        log_lines=log,
        redact=redact,
        settings=task["settings"],
        durability=task["durability"],
        upgrade=False,
        create=False,
    )
    head = CheckpointId.parse(task["head"]) if task["head"] is not None else None
    session = attach(kernel, handover, scope=Scope.parse(task["scope"]), head=head)
    # Its time is taken by the process that watches.
    inline = replace(spec, isolation="inline")
    try:
        value = SyncDriver(kernel).perform_carry(Carry(inline, session, None))
        session.require_alive()
        text = kernel.codec.encode(value, f"result of {spec.name}")
        swallowed = session.wait_in(None)
        if swallowed is not None:
            raise swallowed
    except Exception as error:
        waiting = session.wait_in(error)
        if waiting is None:
            raise
        # Whatever it came in, a group say: the attempt ends waiting.
        return _encoded({**word_of(waiting), "waits": True})
    finally:
        kernel.store.close()
    return b'{"result":' + text + b"}"


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
