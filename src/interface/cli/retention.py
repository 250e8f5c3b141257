"""Commands that let old checkpoints go: purge, consolidate, delete, retain."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from ...domain.scope import Scope
from .arguments import WORKFLOW
from .progress import progress
from .quantities import DATE, DAYS, DURATION, SIZE, size_text
from .shell import Shell
from .tables import Rows

if TYPE_CHECKING:
    from ...application.retention.reports import (
        PurgedWorkflow,
        PurgeProgress,
        PurgeReport,
    )

_WHY = {
    "recent": "recent",
    "newest": "the newest",
    "opening": "the workflow stands on it",
    "in_flight": "in flight",
    "waiting": "waiting",
    "failed": "failed, recoverable",
    "damaged": "damaged",
}


@click.command("purge")
@click.option("--workflow-id", type=WORKFLOW, metavar="ID", help="Only this workflow.")
@click.option("--before", type=DATE, help="What was created before may go (UTC without a zone).")
@click.option("--keep", type=click.IntRange(0), help="So many of the newest of each stay.")
@click.option("--max-age", type=DURATION, help="What is older may go: 90d, 12h.")
@click.option(
    "--max-bytes", type=SIZE, help="As many of the newest stay as hold so much: 500MB, 2GB."
)
@click.option("--dry-run", is_flag=True, help="Only say what would go, and why the rest stays.")
@click.pass_obj
def purge_command(
    shell: Shell,
    workflow_id: str | None,
    before: datetime | None,
    keep: int | None,
    max_age: timedelta | None,
    max_bytes: int | None,
    dry_run: bool,
) -> None:
    """Let old checkpoints go, and give their space back.

    Without limits by the policy: 30 days or the newest 1000 of each workflow, whichever keeps more,
    unless the configuration or the workflow says otherwise. Limits replace it; several must agree.
    What is in flight, waiting or recoverable stays, and so does the newest of each workflow. Others
    can write meanwhile. Interrupted, it goes on with the next purge.
    """
    from .signals import end_on_sigterm

    end_on_sigterm()
    with shell.engine(writable=not dry_run) as engine, _bar("purge") as told:
        report = engine.purge(
            workflow_id=workflow_id,
            before=before,
            keep=keep,
            max_age=max_age,
            max_bytes=max_bytes,
            dry_run=dry_run,
            progress=told,
        )
    if shell.as_json:
        shell.print_json(_report_form(report))
    else:
        _show(shell, report)
    if any(report.damaged):
        sys.exit(5)


@click.command("consolidate")
@click.argument("workflow", type=WORKFLOW)
@click.pass_obj
def consolidate_command(shell: Shell, workflow: str) -> None:
    """Let the newest checkpoint of a workflow stand for itself.

    So that a deep chain is quick to rebuild. Contexts, ids and links stay what they are.
    """
    with shell.engine(writable=True) as engine:
        report = engine.consolidate(workflow_id=workflow)
    if shell.as_json:
        shell.print_json(report)
    else:
        now = "stands for itself now" if report.changed else "stood for itself already"
        click.echo(f"{report.checkpoint_id} {now}")


@click.command("delete")
@click.argument("workflow", type=WORKFLOW)
@click.option("--force", is_flag=True, help="Also when it is unfinished, or somebody is at it.")
@click.pass_obj
def delete_command(shell: Shell, workflow: str, force: bool) -> None:
    """Delete a finished workflow whole.

    With its checkpoints, attempts and events. Its name may be used again: sequences and epochs go
    on from where they were.
    """
    from .signals import end_on_sigterm

    end_on_sigterm()
    with shell.engine(writable=True) as engine, _bar("delete") as told:
        report = engine.delete(workflow_id=workflow, force=force, progress=told)
    if shell.as_json:
        shell.print_json(report)
    else:
        click.echo(
            f"{Scope(workflow)} is deleted: {_counted(report.checkpoints, 'checkpoint')} "
            f"({size_text(report.bytes)}), {_counted(report.events, 'event')}, "
            f"{_counted(report.attempts, 'attempt')}"
        )


@click.command("retain")
@click.argument("workflow", type=WORKFLOW)
@click.option("--days", type=DAYS, help="Kept for so many days at least.")
@click.option("--count", type=click.IntRange(0), help="So many of the newest are kept at least.")
@click.pass_obj
def retain_command(shell: Shell, workflow: str, days: float | None, count: int | None) -> None:
    """Say how long the checkpoints of one workflow are kept.

    What is not given is left to the store's policy; nothing at all gives the workflow back to it.
    """
    with shell.engine(writable=True) as engine:
        engine.retain(workflow_id=workflow, days=days, count=count)
    said = {"workflow_id": workflow, "days": days, "count": count}
    if shell.as_json:
        shell.print_json(said)
        return
    terms = [
        *([f"{days:g} days"] if days is not None else []),
        *([f"the newest {count}"] if count is not None else []),
    ]
    click.echo(f"{Scope(workflow)} keeps {' and '.join(terms) or 'what the store says'}")


def _show(shell: Shell, report: PurgeReport) -> None:
    goes = "would go" if report.dry_run else "went"
    if report.workflows:
        rows = Rows("workflow", f">={goes}", ">=bytes", "=stays")
        for each in report.workflows:
            row = (str(Scope(each.workflow_id)), str(each.checkpoints), size_text(each.bytes))
            rows.add_row(*row, _stays(each))
        shell.print(rows)
    click.echo(
        f"{_counted(report.checkpoints, 'checkpoint')} ({size_text(report.bytes)}) of "
        f"{_counted(report.looked_at, 'workflow')} {goes}"
        + ("" if report.dry_run else f", with {_counted(report.events, 'event')}")
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _stays(found: PurgedWorkflow) -> str:
    kept = ", ".join(f"{count} {_WHY[reason]}" for reason, count in found.kept.items())
    return f"{kept}: {found.damage}" if found.damage else kept


def _report_form(report: PurgeReport) -> dict[str, Any]:
    names = ("dry_run", "looked_at", "checkpoints", "bytes", "events", "attempts", "consolidated")
    return {name: getattr(report, name) for name in names} | {"workflows": report.workflows}


@contextmanager
def _bar(what: str) -> Iterator[Callable[[PurgeProgress], object] | None]:
    """Give what tells how far it is: a bar on a terminal, none elsewhere."""
    with progress(what, "checkpoints") as tell:
        if tell is None:
            yield None
        else:
            yield lambda told: tell(told.checkpoints, told.planned)
