"""Commands that steer workflows from outside: answer, cancel, retry, fork."""

from __future__ import annotations

import json
from typing import Any

import click

from ...domain.scope import Scope
from ...domain.wording import shorten_text
from .arguments import IDS, JSON_FILE, WORKFLOW, Parsed, completed
from .json_form import header
from .shell import Shell

_BEGIN_JSON = ("{", "[", '"')


@click.command("answer")
@click.argument("workflow", type=WORKFLOW)
@click.argument("name", shell_complete=completed("questions"))
@click.argument("text", required=False)
@click.option("--value", type=JSON_FILE, help="The answer as JSON, from a file, or - .")
@click.option("--text", "as_text", is_flag=True, help="TEXT is a text, whatever it looks like.")
@click.pass_obj
def answer_command(
    shell: Shell,
    workflow: str,
    name: str,
    text: str | None,
    value: Parsed | None,
    as_text: bool,
) -> None:
    """Answer what a workflow waits for.

    NAME is what the run asks by, TEXT the answer: JSON, or a text that is none. What begins like
    JSON and is none is refused, unless --text says that it is meant. The first answer counts. It is
    carried on by the next `holdfast recover`, `start` or `supervise`.
    """
    if (text is None) == (value is None):
        raise click.UsageError("Give one answer: TEXT, or --value FILE.")
    if as_text and text is None:
        raise click.UsageError("--text goes with TEXT, and not with --value.")
    given = text if as_text else _parsed(text)
    answer: Any = value.value if value is not None else given
    with shell.engine(writable=True) as engine:
        found = engine.answer(name=name, value=answer, workflow_id=workflow)
        recorded = json.dumps(answer, ensure_ascii=False)
        _tell(shell, header(found), f"{Scope(workflow)} has its answer: {recorded}  ({found.id})")


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


def _parsed(text: str | None) -> object:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        # An answer cannot be taken back: a slip in its JSON must not become one.
        if text.lstrip()[:1] in _BEGIN_JSON:
            raise click.UsageError(
                f"{shorten_text(text)} begins like JSON and is none ({error}). Mend it, or say "
                "--text if it is meant as a text."
            ) from error
        return text


def _tell(shell: Shell, found: object, sentence: str) -> None:
    if shell.as_json:
        shell.print_json(found)
    else:
        click.echo(sentence)
