"""Commands that steer workflows from outside: answer, cancel, retry, fork."""

from __future__ import annotations

import json

import click

from ...domain.scope import Scope
from .arguments import IDS, JSON_FILE, WORKFLOW, Parsed, completed
from .json_form import header
from .shell import Shell


@click.command("answer")
@click.argument("workflow", type=WORKFLOW)
@click.argument("name", shell_complete=completed("questions"))
@click.argument("text", required=False)
@click.option("--value", type=JSON_FILE, help="The answer as JSON, from a file, or - .")
@click.pass_obj
def answer_command(
    shell: Shell, workflow: str, name: str, text: str | None, value: Parsed | None
) -> None:
    """Answer what a workflow waits for.

    NAME is what the run asks by, TEXT the answer: JSON, or a text that is none. The first answer
    counts. It is carried on by the next `holdfast recover`, `start` or `supervise`.
    """
    if (text is None) == (value is None):
        raise click.UsageError("Give one answer: TEXT, or --value FILE.")
    answer = value.value if value is not None else _parsed(text or "")
    with shell.engine(writable=True) as engine:
        found = engine.answer(name=name, value=answer, workflow_id=workflow)
        _tell(shell, header(found), f"{Scope(workflow)} has its answer to {name!r}: {found.id}")


@click.command("cancel")
@click.argument("workflow", type=WORKFLOW)
@click.pass_obj
def cancel_command(shell: Shell, workflow: str) -> None:
    """Ask a run to stop.

    It does so at its next checkpoint, and what is open becomes killed; at once, where nobody
    carries the workflow on.
    """
    with shell.engine(writable=True) as engine:
        killed = engine.cancel(workflow_id=workflow)
    subject = Scope(workflow)
    _tell(
        shell,
        {"workflow_id": workflow, "killed": killed},
        f"{subject} is killed" if killed else f"{subject} is asked to stop at its next checkpoint",
    )


@click.command("retry")
@click.argument("workflow", type=WORKFLOW)
@click.pass_obj
def retry_command(shell: Shell, workflow: str) -> None:
    """Open a killed workflow anew, with all of its retries.

    What was finished stays finished. It is carried on by the next `holdfast recover`, `start` or
    `supervise`.
    """
    with shell.engine(writable=True) as engine:
        opening = engine.retry(workflow_id=workflow)
        _tell(shell, header(opening), f"{Scope(workflow)} is open again: {opening.id}")


@click.command("fork")
@click.argument("checkpoint", metavar="ID", shell_complete=IDS)
@click.argument("new_workflow", type=WORKFLOW)
@click.pass_obj
def fork_command(shell: Shell, checkpoint: str, new_workflow: str) -> None:
    """Start a new workflow from a checkpoint of another.

    It begins with what the chain adds up to there, and stands for itself: what is finished there
    is finished in the new one.
    """
    with shell.engine(writable=True) as engine:
        opening = engine.fork(checkpoint, new_workflow)
        _tell(shell, header(opening), f"{Scope(new_workflow)} begins with {opening.id}")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _tell(shell: Shell, found: object, sentence: str) -> None:
    if shell.as_json:
        shell.print_json(found)
    else:
        click.echo(sentence)
