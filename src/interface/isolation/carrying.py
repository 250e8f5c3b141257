"""Carrying a workflow on in a process of its own, as the process that holds the lease does it."""

from __future__ import annotations

import os
from typing import Any

from ...application.runs.flow import Carry
from ...application.runs.session import Session
from ...domain.errors import Cancelled, CommandFailed, HandlerDied, InvalidRequest, Waiting
from ...domain.json_value import JsonObject, JsonValue
from ...domain.ports import HandlerSpec
from ...domain.ports.processes import Process, ProcessOrder
from ...domain.run_handover import RunHandover, text_of
from ..kernel import Kernel
from ..stopping import Stopping
from .error_words import error_in
from .launching import task_of
from .streams import through
from .watching import Watch

_WORKER = "holdfast.interface.isolation.worker"


def carry_in_process(
    carry: Carry,
    kernel: Kernel,
    stopping: Stopping | None = None,
    *,
    gives_context: bool = True,
) -> JsonValue:
    """Let a handler carry the workflow on in a process of its own; return what it returned.

    When this returns or raises, nothing of that process is left running. The end of its output is
    with the session.

    Args:
        stopping: ends it when it is set; by default the kernel's.
        gives_context: a command gets the context on standard input; else what this process reads.

    Raises:
        TimedOut: it exceeded its time, or was silent for too long.
        HandlerFailed, HoldfastError: what it raised.
        CommandFailed: the command ended with another exit status than 0.
        HandlerDied: it ended without a word.
        KeyboardInterrupt: it was stopped.
    """
    spec, session = carry.spec, carry.session
    if kernel.store.target == "memory:":
        raise InvalidRequest(
            f"handler {spec.name!r} is to run in a process of its own, and a store in memory is "
            "seen by this process alone; use a file, or isolation='inline'"
        )
    stopping = stopping or kernel.stopping
    process = kernel.processes.start(_order(spec, session, kernel, gives_context=gives_context))
    try:
        watch = Watch(
            process, session, kernel.env.clock, carry.timeout, kernel.settings.grace, stopping
        )
        exceeded = watch.wait()
    finally:
        process.close()
        session.output_tail = clean(process.tail, session)
    if exceeded is not None:
        raise exceeded
    if stopping.is_set and process.word is None:
        raise KeyboardInterrupt  # hands the workflow back, as Ctrl-C does
    return outcome_of(process, kernel, spec, session)


def outcome_of(
    process: Process,
    kernel: Kernel,
    spec: HandlerSpec,
    session: Session,
    subject: str | None = None,
) -> JsonValue:
    """Return what a process that has ended came to; raises what it came to grief by.

    Args:
        subject: a step of the session, where it is not the whole workflow.
    """
    subject = subject or str(session.workflow)
    word = _word_of(process, kernel, session)
    if word is not None and "result" in word:
        return word["result"]
    if word is not None and "error" in word:
        error = error_in(word, spec.name)
        if isinstance(error, Waiting) and word.get("waits"):
            session.note_wait(error)
        if isinstance(error, Cancelled) and error.workflow_id == session.attempt.workflow_id:
            session.cancel()
        raise error
    if word is not None and "not_started" in word:
        problem = f"could not be started: {word['not_started']}"
        raise CommandFailed(subject, spec.command, process.exit_code or 0, problem)
    if session.ended is not None:
        raise session.ended
    code = process.exit_code
    if spec.command and code == 0:
        return None
    if spec.command and code is not None and code > 0:
        raise CommandFailed(subject, spec.command, code)
    raise HandlerDied(subject, spec.name, code)


def handover_of(session: Session, kernel: Kernel, spec: HandlerSpec) -> RunHandover:
    """Return what a child of the session needs to write under its lease."""
    return RunHandover(
        store=kernel.store.target,
        workflow=text_of(session.attempt.workflow_id),
        epoch=session.credentials.epoch,
        token=session.credentials.token,
        correlation_id=session.attempt.correlation_id,
        attempt=session.attempt.number,
        silence=session.terms.silence,
        handler=spec.name if not spec.command else session.attempt.handler,
        app=spec.program,
    )


def clean(text: str, session: Session) -> str:
    """Return what was printed without the secret of the lease, should it have been printed."""
    return text.replace(session.credentials.token, "…") if session.credentials.token else text


def _order(
    spec: HandlerSpec, session: Session, kernel: Kernel, *, gives_context: bool
) -> ProcessOrder:
    handover = handover_of(session, kernel, spec)
    environment = handover.in_environment({**os.environ, **kernel.handed_on})
    printed = through(kernel.handlers_print_to), through("stderr")
    grace = kernel.settings.grace
    if spec.command:
        stdin = None
        if gives_context:
            context: Any = kernel.context(session.past).to_dict()
            stdin = kernel.codec.encode(context, f"context of {session.workflow}")
        return ProcessOrder(environment, grace, *printed, command=spec.command, stdin=stdin)
    task = task_of(spec, session, kernel)
    return ProcessOrder(environment, grace, *printed, module=_WORKER, task=task)


def _word_of(process: Process, kernel: Kernel, session: Session) -> JsonObject | None:
    if process.word is None:
        return None
    try:
        text = clean(process.word.decode("utf-8", "replace"), session)
        word: JsonObject = kernel.codec.decode(text.encode())
    except ValueError:
        return None  # it was ended while it spoke
    return word
