"""The command ``holdfast``: its options, its exit codes, and where its commands are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import click

from .columns import text_width
from .lazy_group import GLOBAL_OPTIONS, LazyGroup
from .shell import Shell

F = TypeVar("F", bound=Callable[..., Any])

_COMPLETE = "_HOLDFAST_COMPLETE"

SECTIONS = {
    "Look": {
        "workflows": ("look", "List the workflows, the one written to last first."),
        "list": ("look", "List checkpoints, the newest first."),
        "show": ("look", "Show one checkpoint and what it holds."),
        "tree": ("look", "Show a workflow with its stages and agents, states and times."),
        "latest": ("look", "Show the newest checkpoint of a workflow."),
        "context": ("look", "Print what a chain adds up to, as JSON."),
        "diff": ("care", "Show what differs between two checkpoints."),
        "attempts": ("look", "List what was tried to carry a workflow on."),
        "events": ("look", "Print the log of what happened."),
    },
    "Carry on": {
        "stale": ("stale", "List what is in flight and nobody carries on."),
        "recover": ("carry_on", "Carry a workflow on."),
        "supervise": ("supervise", "Recover what is due, and purge, until told to stop."),
        "start": ("carry_on", "Run a workflow of the program named with --app."),
        "answer": ("steer", "Answer what a workflow waits for."),
        "retry": ("steer", "Open a killed workflow anew, with all of its retries."),
        "cancel": ("steer", "Ask a run to stop."),
        "fork": ("steer", "Start a new workflow from a checkpoint of another."),
    },
    "Write, from a script": {
        "run": ("commands", "Run a command as a workflow."),
        "step": ("commands", "Run a command once, inside `holdfast run`."),
        "heartbeat": ("commands", "Give a sign of life."),
        "checkpoint": ("write", "Write a checkpoint."),
        "complete": ("write", "Close the scope of a checkpoint."),
        "fail": ("write", "Record that the work of a checkpoint's scope failed."),
    },
    "Keep and move": {
        "purge": ("retention", "Let old checkpoints go, and give their space back."),
        "consolidate": ("retention", "Let the newest checkpoint of a workflow stand for itself."),
        "retain": ("retention", "Say how long the checkpoints of one workflow are kept."),
        "delete": ("retention", "Delete a finished workflow whole."),
        "export": ("transfer", "Write everything that the store holds to TARGET."),
        "import": ("transfer", "Read everything from SOURCE into an empty store."),
        "backup": ("care", "Copy a store to a new file, while others write to it."),
    },
    "The store": {
        "init": ("write", "Make a store, or bring one up to date."),
        "upgrade": ("write", "Bring the schema of a store up to date."),
        "doctor": ("doctor", "Say what is in force, damaged, or cannot be resumed."),
        "stats": ("care", "Show how much a store holds, and how many bytes it takes."),
        "config": ("config", "Show what is configured, and where each value came from."),
        "bench": ("bench", "Measure recoveries, saves and purges on this machine."),
    },
    "Get started": {
        "demo": ("demo", "Kill a real run with SIGKILL, carry it on, prove the result."),
        "completion": (
            "completion",
            "Print what makes bash, zsh or fish complete commands and ids.",
        ),
    },
}
COMMANDS = {name: told for table in SECTIONS.values() for name, told in table.items()}


def _with_global_options(function: F) -> F:
    for flags, settings in reversed(GLOBAL_OPTIONS):
        function = click.option(*flags, **settings)(function)
    return function


@click.command(
    cls=LazyGroup,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "terminal_width": text_width()},
    epilog=(
        "What is not given is read from holdfast.toml, or [tool.holdfast] in pyproject.toml, here "
        "or in a folder above; HOLDFAST_STORE and HOLDFAST_APP in the environment, and others, go "
        "before the file. 'holdfast config' shows what is in force. "
        "Exit codes: 0 done, 1 the operation failed, 2 usage, 3 not found, 4 refused (held, "
        "fenced, killed, waiting, not recoverable), 5 the store is damaged or unavailable."
    ),
)
@_with_global_options
@click.version_option(package_name="holdfast", prog_name="holdfast")
@click.pass_obj
def holdfast(shell: Shell, /, **given: Any) -> None:
    """Checkpoints and recovery for long runs."""
    for name, value in given.items():
        shell.give(name, value)


def _complete(shell: Shell) -> NoReturn:
    """Answer a shell that completes a line; silent whatever goes wrong."""
    from .completion import register

    register()
    try:
        holdfast.main([], prog_name="holdfast", complete_var=_COMPLETE, obj=shell)
    except Exception:  # noqa: BLE001 - a key was pressed: the line is not run yet
        sys.exit(1)
    sys.exit(0)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    shell = Shell()
    if _COMPLETE in os.environ:
        _complete(shell)
    try:
        given = None if args is None else list(args)
        code = holdfast.main(given, prog_name="holdfast", standalone_mode=False, obj=shell)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        from .ending import interrupted

        sys.exit(interrupted())
    except Exception as error:  # noqa: BLE001 - the last place where an error can be told
        from .ending import report

        sys.exit(report(error, verbose=shell.shows_tracebacks))
    sys.exit(code if isinstance(code, int) and code else shell.exit_code)
