"""Commands that write, from a shell script say."""

from __future__ import annotations

import click

from ...domain.checkpoint_type import CheckpointType
from .arguments import HANDLERS, IDS, JSON_FILE, WORKFLOW, Parsed, pairs, value_of
from .json_form import header
from .shell import Shell

_TYPE = click.Choice([each.value for each in CheckpointType])


@click.command("init")
@click.pass_obj
def init_command(shell: Shell) -> None:
    """Make a store, or bring one up to date."""
    with shell.engine(writable=True, create=True) as engine:
        if shell.as_json:
            shell.print_json({"store": engine.target})
        else:
            click.echo(f"{engine.target} is ready")


@click.command("upgrade")
@click.pass_obj
def upgrade_command(shell: Shell) -> None:
    """Bring the schema of a store up to date.

    Commands that write do so as well. A store that is not there is not made.
    """
    from ..bootstrap import upgrade_store

    done = upgrade_store(shell.require_store())
    if shell.as_json:
        shell.print_json(done)
    elif done.found_schema == done.schema:
        click.echo(f"{done.store} is up to date: schema {done.schema}")
    else:
        click.echo(f"{done.store} is upgraded from schema {done.found_schema} to {done.schema}")


@click.command("checkpoint")
@click.argument("workflow", type=WORKFLOW)
@click.option("--type", "type_", type=_TYPE, default="progress", show_default=True)
@click.option("--name", help="What it is known by.")
@click.option("--stage", help="The stage that it is about.")
@click.option("--agent", help="The agent of that stage that it is about.")
@click.option("--state", type=JSON_FILE, help="Replaces the scope's state; a file, or - .")
@click.option("--patch", type=JSON_FILE, help="Merges into the scope's state; a file, or - .")
@click.option("--input", "input_", type=JSON_FILE, help="What the scope is given; a file, or - .")
@click.option("--output", type=JSON_FILE, help="What the scope gives; a file, or - .")
@click.option("--handler", shell_complete=HANDLERS, help="Who carries the scope on.")
@click.option(
    "--parent", metavar="ID", shell_complete=IDS, help="Start again from this older checkpoint."
)
@click.option(
    "--depends-on", multiple=True, metavar="ID", shell_complete=IDS, help="What it builds on."
)
@click.option("--max-retries", default=3, show_default=True)
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Small, and searchable.")
@click.pass_obj
def checkpoint_command(
    shell: Shell,
    workflow: str,
    type_: str,
    name: str | None,
    stage: str | None,
    agent: str | None,
    state: Parsed | None,
    patch: Parsed | None,
    input_: Parsed | None,
    output: Parsed | None,
    handler: str | None,
    parent: str | None,
    depends_on: tuple[str, ...],
    max_retries: int,
    metadata: tuple[str, ...],
) -> None:
    """Write a checkpoint.

    Prints its id.
    """
    with shell.engine(writable=True, create=True) as engine:
        written = engine.checkpoint(
            workflow,
            type=type_,
            name=name,
            stage_id=stage,
            agent_id=agent,
            state=value_of(state),
            patch=value_of(patch),
            input=value_of(input_),
            output=value_of(output),
            resume_handler=handler,
            parent=parent,
            depends_on=depends_on,
            max_retries=max_retries,
            metadata=pairs(metadata),
        )
    _print_written(shell, header(written))


@click.command("complete")
@click.argument("checkpoint_id", metavar="ID", shell_complete=IDS)
@click.option("--output", type=JSON_FILE, help="What the scope gives; a file, or - .")
@click.option("--abandon", is_flag=True, help="Close what is open inside as killed.")
@click.pass_obj
def complete_command(
    shell: Shell, checkpoint_id: str, output: Parsed | None, abandon: bool
) -> None:
    """Close the scope of a checkpoint.

    Prints the id of the closing checkpoint.
    """
    with shell.engine(writable=True) as engine:
        written = engine.complete(checkpoint_id, value_of(output), abandon=abandon)
    _print_written(shell, header(written))


@click.command("fail")
@click.argument("checkpoint_id", metavar="ID", shell_complete=IDS)
@click.option("--message", required=True, help="What went wrong.")
@click.option("--error-type", default="Error", show_default=True, help="What kind of error.")
@click.pass_obj
def fail_command(shell: Shell, checkpoint_id: str, message: str, error_type: str) -> None:
    """Record that the work of a checkpoint's scope failed.

    Prints the id of the failing checkpoint.
    """
    from ...domain.error_record import ErrorRecord

    with shell.engine(writable=True) as engine:
        written = engine.fail(checkpoint_id, ErrorRecord(error_type, message))
    _print_written(shell, header(written))


def _print_written(shell: Shell, written: dict[str, object]) -> None:
    if shell.as_json:
        shell.print_json(written)
    else:
        click.echo(written["id"])
