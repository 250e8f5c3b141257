"""Commands that look: they never change a store, nor load what upgrades one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.errors import NotFound
from ...domain.scope import Scope
from ..times import duration_text
from .arguments import IDS, WORKFLOW, file_named, pairs
from .checkpoint_view import print_checkpoint
from .cut_short import newest, tell_more
from .json_form import header, whole, with_snapshots
from .outline_tree import tree_of
from .questions import questions_of
from .shell import Shell
from .states import outcome_text, status_text
from .tables import Rows, retries_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...domain.attempt import Attempt
    from ...domain.checkpoint import Checkpoint
    from ...domain.events import DomainEvent

_STATUS = click.Choice([each.value for each in CheckpointStatus])
_TYPE = click.Choice([each.value for each in CheckpointType])


@click.command("workflows")
@click.option("--status", type=_STATUS, help="Only those whose status that is.")
@click.option("--limit", default=100, show_default=True, help="How many at the most.")
@click.pass_obj
def workflows_command(shell: Shell, status: str | None, limit: int) -> None:
    """List the workflows, the one written to last first."""
    with shell.engine() as engine:
        found = engine.workflows(status=status, limit=limit)
    if shell.as_json:
        shell.print_json(found)
        return
    rows = Rows("workflow", "status", "last written", "handler", ">=checkpoints", "=retries")
    times = shell.times
    for each in found:
        retries = retries_text(each.retry_count, each.max_retries) if each.status else ""
        rows.add_row(
            str(each.head.scope.workflow),
            status_text(each.status),
            times.text(each.updated_at),
            each.handler or "",
            str(each.checkpoints),
            retries,
        )
    shell.print(rows)


@click.command("list")
@click.argument("workflow", type=WORKFLOW, required=False)
@click.option("--status", type=_STATUS, help="Only those whose status that is.")
@click.option("--type", "type_", type=_TYPE, help="Only those of that type.")
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Only those with that.")
@click.option(
    "--older-than",
    metavar="ID",
    shell_complete=IDS,
    help="Only those written before that checkpoint.",
)
@click.option("--limit", default=100, show_default=True, help="How many at the most.")
@click.pass_obj
def list_command(
    shell: Shell,
    workflow: str | None,
    status: str | None,
    type_: str | None,
    metadata: tuple[str, ...],
    older_than: str | None,
    limit: int,
) -> None:
    """List checkpoints, the newest first.

    Of one workflow, or of all. When there are more than the limit, that is said on standard error.
    """
    with shell.engine() as engine:

        def page(older_than: object, limit: int) -> list[Checkpoint]:
            return engine.list(
                workflow_id=workflow,
                status=status,
                type=type_,
                metadata=pairs(metadata),
                older_than_id=None if older_than is None else str(older_than),
                limit=limit,
            )

        found = page(older_than, limit)
        how = f"--limit N or --older-than {found[-1].id}" if found else ""
        tell_more(found, limit, lambda checkpoint: page(checkpoint.id, 1000), how)
    if shell.as_json:
        shell.print_json([header(each) for each in found])
        return
    rows = Rows("checkpoint", "type", "status", "written", "=parent", "=name")
    times = shell.times
    for each in found:
        rows.add_row(
            str(each.id),
            each.type.value,
            status_text(each.status),
            times.text(each.created_at),
            f"@{each.parent_id.sequence}" if each.parent_id else "",
            each.name or "",
        )
    shell.print(rows)


@click.command("show")
@click.argument("target", metavar="ID", shell_complete=IDS)
@click.option("--raw", is_flag=True, help="Only what it stores itself, as JSON.")
@click.pass_obj
def show_command(shell: Shell, target: str, raw: bool) -> None:
    """Show one checkpoint and what it holds.

    With what it adds up to: the workflow, the stage and the agent as it saw them. ID is a
    checkpoint, or a workflow, workflow/stage or workflow/stage/agent: its newest checkpoint.
    """
    with shell.engine() as engine:
        checkpoint = engine.get(target) if "@" in target else engine.latest(target)
        found = whole(checkpoint) if raw else with_snapshots(checkpoint)
    if shell.as_json or raw:
        shell.print_json(found)
    else:
        print_checkpoint(shell, checkpoint, found)


@click.command("latest")
@click.argument("workflow", type=WORKFLOW)
@click.pass_obj
def latest_command(shell: Shell, workflow: str) -> None:
    """Show the newest checkpoint of a workflow."""
    with shell.engine() as engine:
        found = whole(checkpoint := engine.latest(workflow_id=workflow))
    if shell.as_json:
        shell.print_json(found)
    else:
        print_checkpoint(shell, checkpoint, found)


@click.command("context")
@click.argument("target", metavar="ID", shell_complete=IDS)
@click.pass_obj
def context_command(shell: Shell, target: str) -> None:
    """Print what a chain adds up to, as JSON.

    ID is a checkpoint, or a workflow: its head.
    """
    with shell.engine() as engine:
        shell.print_json(engine.context(target))


@click.command("tree")
@click.argument("workflow", type=WORKFLOW)
@click.option(
    "--svg",
    metavar="FILE",
    shell_complete=file_named,
    help="Draw its timeline instead; - for standard output.",
)
@click.pass_obj
def tree_command(shell: Shell, workflow: str, svg: str | None) -> None:
    """Show a workflow with its stages and agents, states and times.

    With --svg as a picture: what was open when, the attempts and where they died, what was waited
    for, and who carried it on. Long times in which nobody was at it are squeezed, and say so.
    """
    with shell.engine() as engine:
        if svg is not None:
            from .svg_file import write_svg

            write_svg(engine, workflow, svg)
            if shell.as_json and svg != "-":
                shell.print_json({"svg": svg})
            elif svg != "-":
                click.echo(f"timeline: {svg}")
            return
        outline = engine.outline(workflow_id=workflow)
        questions = {} if shell.as_json else questions_of(engine, workflow)
    if shell.as_json:
        shell.print_json(outline)
    else:
        shell.print(tree_of(outline, shell.times, questions))


@click.command("attempts")
@click.argument("workflow", type=WORKFLOW)
@click.option("--output", type=int, metavar="N", help="Print the end of what attempt N printed.")
@click.pass_obj
def attempts_command(shell: Shell, workflow: str, output: int | None) -> None:
    """List what was tried to carry a workflow on.

    The oldest attempt comes first.
    """
    with shell.engine() as engine:
        found = engine.attempts(workflow_id=workflow)
    if output is not None:
        _print_output(workflow, output, found)
        return
    if shell.as_json:
        shell.print_json(found)
        return
    rows = Rows(">=attempt", "outcome", "=begun", "=took", "handler", "owner", ">=epoch", "=error")
    times = shell.times
    for each in found:
        rows.add_row(
            str(each.number),
            outcome_text(each.outcome),
            times.text(each.begun_at),
            duration_text(each.ended_at - each.begun_at if each.ended_at else None),
            each.handler or "",
            str(each.owner),
            str(each.epoch),
            each.error.summary if each.error else "",
        )
    shell.print(rows)


def _print_output(workflow: str, number: int, found: Sequence[Attempt]) -> None:
    attempt = next((each for each in found if each.number == number), None)
    if attempt is None:
        raise NotFound(f"attempt {number} of {Scope(workflow)}")
    if attempt.output_tail is None:
        click.echo(f"nothing is kept of what attempt {number} printed", err=True)
        return
    click.echo(attempt.output_tail, nl=False)


@click.command("events")
@click.argument("workflow", type=WORKFLOW, required=False)
@click.option("--after", default=0, help="Only those with a number above that.")
@click.option("--limit", default=1000, show_default=True, help="How many at the most.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the newest N.")
@click.pass_obj
def events_command(
    shell: Shell, workflow: str | None, after: int, limit: int, last: int | None
) -> None:
    """Print the log of what happened.

    The oldest first, of one workflow or of all. When there is more than the limit, that is said on
    standard error.
    """
    with shell.engine() as engine:

        def page(after: int, limit: int) -> list[DomainEvent]:
            return engine.events(after=after, workflow_id=workflow, limit=limit)

        if last is not None:
            found = newest(last, after, page, lambda event: event.number)
        else:
            found = page(after, limit)
            how = f"--limit N or --after {found[-1].number}" if found else ""
            tell_more(found, limit, lambda event: page(event.number, 1000), how)
    if shell.as_json:
        shell.print_json(found)
        return
    rows = Rows("about", "event", ">number", "at", ">=epoch", "detail")
    times = shell.times
    for each in found:
        rows.add_row(
            str(each.checkpoint_id or Scope(each.workflow_id)),
            each.kind.value,
            str(each.number),
            times.text(each.at),
            str(each.epoch),
            ", ".join(f"{key}: {value}" for key, value in each.detail.items() if value is not None),
        )
    shell.print(rows)
