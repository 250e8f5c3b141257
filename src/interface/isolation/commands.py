"""Commands of a shell script under a lease: a whole workflow, or one step of it."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass

from ...application.runs.flow import Carry
from ...application.runs.session import Session
from ...application.runs.step import ChangedInput, StepKit, StepOptions, step
from ...domain.error_record import ErrorRecord
from ...domain.errors import CommandFailed, HandlerDied, InputChanged, StateTooLarge, TimedOut
from ...domain.json_value import JsonObject
from ...domain.ports import HandlerSpec
from ...domain.ports.processes import ProcessOrder, Sink
from ...domain.run_handover import RunHandover
from ...domain.scope import Scope
from ..drivers.sync_driver import SyncDriver
from ..kernel import Kernel
from ..run import Run
from .attached import attach
from .carrying import carry_in_process, clean, outcome_of
from .streams import through
from .watching import Watch


@dataclass(frozen=True, slots=True)
class StepOutput:
    """What a step's command printed on standard output, now or in an earlier attempt.

    Attributes:
        recorded: it is from the record: the command was not run.
    """

    stdout: bytes
    recorded: bool


def run_command(run: Run, command: Sequence[str], timeout: float | None = None) -> None:
    """Run a command under the lease of *run*, which is its caller's to complete or to fail.

    Raises:
        CommandFailed: it ended with another exit status than 0.
        HandlerDied: it was killed by a signal.
        TimedOut: it exceeded its time, or was silent for too long.
    """
    session, kernel = run._session, run._kernel  # noqa: SLF001 - the run's own other half
    carry = Carry(_spec(command, timeout), session, timeout)
    carry_in_process(carry, kernel, gives_context=False)


def run_step(
    kernel: Kernel,
    handover: RunHandover,
    name: str,
    command: Sequence[str],
    *,
    stage: str | None = None,
    timeout: float | None = None,
    changed_input: ChangedInput = "error",
    passes_on: bool = True,
) -> StepOutput:
    """Run a command once, as a step of the run that this process is a child of.

    Its standard output is recorded, whole; a finished step gives what is recorded. What it prints
    goes on to this process's streams as it comes.

    Args:
        stage: makes the step an agent of that stage.
        passes_on: whether standard output goes on as it comes.

    Raises:
        InputChanged: it is finished, and was another command.
        StateTooLarge: it printed more than can be recorded.
        CommandFailed, HandlerDied, TimedOut: it failed, and is recorded so.
        Fenced: the lease is gone; nothing was written.
    """
    session = attach(kernel, handover)
    workflow = session.workflow.workflow_id
    scope = Scope(workflow, name) if stage is None else Scope(workflow, stage, name)
    ran: list[bytes] = []

    def perform(arguments: Sequence[str]) -> JsonObject:
        with session.may_be_silent(timeout):
            printed = _printed_by(kernel, session, scope, arguments, timeout, passes_on=passes_on)
        ran.append(printed)
        return _recorded(printed)

    kit = StepKit(session, kernel.codec, kernel.env)
    options = StepOptions(changed_input=changed_input)
    flow = step(kit, scope, perform, [list(command)], {}, options)
    try:
        output = SyncDriver(kernel).run(flow)
    except InputChanged as changed:
        advice = "give it another name, or give --changed-input rerun or keep"
        raise InputChanged(changed.subject, changed.recorded, changed.asked, advice) from None
    return StepOutput(ran[0] if ran else _printed_then(output), recorded=not ran)


def _printed_by(
    kernel: Kernel,
    session: Session,
    scope: Scope,
    command: Sequence[str],
    timeout: float | None,
    *,
    passes_on: bool,
) -> bytes:
    """Run the command and return what it printed on standard output."""
    limit = kernel.settings.max_state_bytes
    kept = bytearray()
    onwards = through("stdout") if passes_on else None
    spec, grace = _spec(command, timeout), kernel.settings.grace
    order = ProcessOrder(
        os.environ, grace, _keeping(kept, limit, onwards), through("stderr"), command=spec.command
    )
    process = kernel.processes.start(order)
    watch = Watch(
        process, session, kernel.env.clock, timeout, grace, kernel.stopping, subject=str(scope)
    )
    exceeded: TimedOut | None = None
    try:
        try:
            exceeded = watch.wait()
        finally:
            process.close()
        if exceeded is not None:
            raise exceeded
        outcome_of(process, kernel, spec, session, str(scope))
    except KeyboardInterrupt:
        # Recorded, so that the script may try it again under the same lease.
        raise CommandFailed(str(scope), command, 130, "was interrupted") from None
    except (CommandFailed, HandlerDied) as error:
        printed = clean(process.tail, session)
        error.recorded_as = ErrorRecord(f"holdfast.{type(error).__name__}", str(error), printed)
        raise
    if len(kept) > limit:
        raise StateTooLarge(f"standard output of {scope}", len(kept), limit, at_least=True)
    return bytes(kept)


def _keeping(kept: bytearray, limit: int, onwards: Sink | None) -> Sink:
    def write(data: bytes) -> None:
        if len(kept) <= limit:
            kept.extend(data[: limit + 1 - len(kept)])
        if onwards is not None:
            onwards(data)

    return write


def _recorded(printed: bytes) -> JsonObject:
    try:
        return {"status": 0, "stdout": printed.decode()}
    except UnicodeDecodeError:
        return {"status": 0, "stdout_base64": base64.b64encode(printed).decode()}


def _printed_then(output: JsonObject) -> bytes:
    if "stdout_base64" in output:
        return base64.b64decode(output["stdout_base64"])
    return str(output["stdout"]).encode()


def _spec(command: Sequence[str], timeout: float | None) -> HandlerSpec:
    return HandlerSpec(command[0], _no_function, timeout, "process", command=tuple(command))


def _no_function(run: object) -> None:
    raise AssertionError(f"a command is run in its place, for {run}")
