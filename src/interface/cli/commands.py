"""Commands for shell scripts: other commands, run under a lease."""

from __future__ import annotations

import base64
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ...domain.errors import CommandFailed, HandlerDied
from .arguments import HANDLERS, JSON_FILE, WORKFLOW, Parsed, value_of
from .ending import report
from .quantities import SECONDS
from .shell import Shell
from .signals import end_on_sigterm

if TYPE_CHECKING:
    from ...domain.run_handover import RunHandover

# HOLDFAST_RUN_* is what a run hands to its children, and no option of this command.
_OPTION: dict[str, Any] = {"allow_from_autoenv": False}
_COMMAND: dict[str, Any] = {"nargs": -1, "required": True, "metavar": "-- COMMAND..."}
_SIGNALLED = 128


@click.command("run", context_settings={"ignore_unknown_options": False})
@click.argument("workflow", type=WORKFLOW)
@click.argument("command", type=click.UNPROCESSED, **_COMMAND)
@click.option(
    "--handler", shell_complete=HANDLERS, help="Who carries it on when this dies.", **_OPTION
)
@click.option(
    "--input", "input_", type=JSON_FILE, help="What it is given; a file, or - .", **_OPTION
)
@click.option("--timeout", type=SECONDS, help="How long it may take: seconds, or 5min.", **_OPTION)
@click.option("--silence", type=float, help="Seconds that it may give no sign of life.", **_OPTION)
@click.pass_obj
def run_command(
    shell: Shell,
    workflow: str,
    command: tuple[str, ...],
    handler: str | None,
    input_: Parsed | None,
    timeout: float | None,
    silence: float | None,
) -> None:
    """Run a command as a workflow.

    The lease of WORKFLOW is held while the command runs (without a shell); exit status 0 completes
    the workflow, any other fails it, and it is this command's own (128 + N for a signal N). Run it
    again to carry on. Inside, `holdfast step`, `checkpoint`, `complete`, `fail` and `heartbeat`
    write under the lease. The command has no terminal; what it starts ends with it.
    """
    from ..arguments import require_seconds
    from ..isolation.commands import run_command as perform

    require_seconds("timeout", timeout)
    end_on_sigterm()
    with shell.engine(writable=True, create=True) as engine:
        run = engine.run(workflow, handler=handler, input=value_of(input_), silence=silence)
        if run.is_completed:
            click.echo(f"{run.workflow_id} is completed; nothing was run", err=True)
            return
        try:
            with run:
                perform(run, command, timeout)
        except (CommandFailed, HandlerDied) as error:
            sys.exit(_told(shell, error))


@click.command("step")
@click.argument("name")
@click.argument("command", type=click.UNPROCESSED, **_COMMAND)
@click.option("--stage", help="Makes it an agent of that stage.")
@click.option("--timeout", type=SECONDS, help="How long it may take, and be silent.")
@click.option(
    "--changed-input",
    type=click.Choice(["error", "rerun", "keep"]),
    default="error",
    show_default=True,
    help="What becomes of a finished step whose command is another one now.",
)
@click.pass_obj
def step_command(
    shell: Shell,
    name: str,
    command: tuple[str, ...],
    stage: str | None,
    timeout: float | None,
    changed_input: str,
) -> None:
    """Run a command once, inside `holdfast run`.

    Its standard output is recorded; once it has ended with exit status 0 it does not run again,
    and what is recorded is printed instead. Any other status fails the step, and is this command's
    own (128 + N for a signal N).
    """
    from ..arguments import require_seconds
    from ..bootstrap import make_kernel
    from ..isolation.commands import run_step
    from .signals import received_any

    require_seconds("timeout", timeout)
    handover = _handover("step")
    end_on_sigterm()
    config = shell.config
    kernel = make_kernel(
        handover.store,
        durability=config.durability,
        settings=config.engine,
        upgrade=False,
        create=False,
        log=config.log,
    )
    try:
        done = run_step(
            kernel,
            handover,
            name,
            command,
            stage=stage,
            timeout=timeout,
            changed_input=changed_input,  # type: ignore[arg-type]
            passes_on=not shell.as_json,
        )
    except (CommandFailed, HandlerDied) as error:
        if received_any():
            raise KeyboardInterrupt from error
        sys.exit(_told(shell, error))
    finally:
        kernel.store.close()
    if shell.as_json:
        shell.print_json(_as_json(done.stdout, recorded=done.recorded))
    elif done.recorded:
        sys.stdout.buffer.write(done.stdout)
        sys.stdout.flush()


@click.command("heartbeat")
@click.argument("workflow", type=WORKFLOW, required=False)
@click.pass_obj
def heartbeat_command(shell: Shell, workflow: str | None) -> None:
    """Give a sign of life.

    Of WORKFLOW; inside `holdfast run`, of that one.
    """
    with shell.engine(writable=True) as engine:
        if workflow is not None:
            engine.heartbeat(workflow_id=workflow)
        else:
            engine.heartbeat(_handover("heartbeat").workflow)


def _handover(command: str) -> RunHandover:
    """Return the run that this process is a child of."""
    from ...domain.run_handover import handed_over

    found = handed_over(os.environ)
    if found is None:
        raise click.UsageError(
            f"No run: `holdfast {command}` without a workflow belongs inside "
            "`holdfast run WORKFLOW -- COMMAND ...`."
            if command == "heartbeat"
            else f"No run: `holdfast {command}` belongs inside `holdfast run WORKFLOW -- COMMAND`."
        )
    return found


def _told(shell: Shell, error: CommandFailed | HandlerDied) -> int:
    """Say how the command failed; return its exit status as shells have it."""
    report(error, verbose=shell.verbose)
    code = error.exit_code or 0
    return code if code > 0 else _SIGNALLED - code


def _as_json(printed: bytes, *, recorded: bool) -> dict[str, object]:
    try:
        return {"status": 0, "stdout": printed.decode(), "recorded": recorded}
    except UnicodeDecodeError:
        text = base64.b64encode(printed).decode()
        return {"status": 0, "stdout_base64": text, "recorded": recorded}
