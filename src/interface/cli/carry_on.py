"""Commands that start workflows and carry them on."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from ...domain.attempt import Outcome
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.scope import Scope
from .arguments import HANDLERS, IDS, JSON_FILE, WORKFLOW, Parsed, completed, value_of
from .ending import FAILED, REFUSED
from .quantities import SECONDS
from .questions import questions_of
from .shell import Shell
from .signals import end_on_sigterm
from .states import BAD, GOOD, status_text
from .tables import fields_of, retries_text
from .wording import in_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from ...application.queries.plan_recovery import RecoveryPlan
    from ...application.runs.recovery_result import RecoveryResult
    from ..engine import Engine


_ENDED = {
    Outcome.WAITING: "waits",
    Outcome.CANCELLED: "was cancelled",
    Outcome.TIMED_OUT: "was ended",
}
_STOPPED = (Outcome.WAITING, Outcome.CANCELLED)


@click.command("start")
@click.argument("name", shell_complete=completed("startable"))
@click.argument("workflow", type=WORKFLOW)
@click.option("--input", "input_", type=JSON_FILE, help="What it is given; a file, or - .")
@click.pass_obj
def start_command(shell: Shell, name: str, workflow: str, input_: Parsed | None) -> None:
    """Run a workflow of the program named with --app.

    NAME is what it is registered as, WORKFLOW the id of the run. Prints its result as JSON. The
    same id again gives the recorded result, or carries on.
    """
    shell.registry().require_workflow(name)  # before a store is made for it
    end_on_sigterm()
    with shell.engine(writable=True, create=True) as engine:
        shell.print_json(engine.start(name, workflow_id=workflow, input=value_of(input_)))


@click.command("recover")
@click.argument("target", metavar="[TARGET]", required=False, shell_complete=IDS)
@click.option("--all", "all_", is_flag=True, help="Recover whatever can be recovered now.")
@click.option("--handler", shell_complete=HANDLERS, help="Runs instead of the recorded one.")
@click.option("--timeout", type=SECONDS, help="How long it may take: seconds, or 5min.")
@click.option("--dry-run", is_flag=True, help="Say what would happen and why; change nothing.")
@click.option("--force", is_flag=True, help="Pass over a lease, back-off and used-up retries.")
@click.option("--strict", is_flag=True, help="Fail on damage instead of falling back past it.")
@click.pass_obj
def recover_command(
    shell: Shell,
    target: str | None,
    all_: bool,
    handler: str | None,
    timeout: float | None,
    dry_run: bool,
    force: bool,
    strict: bool,
) -> None:
    """Carry a workflow on.

    TARGET is a workflow, or a stage, an agent or a checkpoint of it: that chooses whose handler
    runs. Prints what the handler returned as JSON. A workflow whose retries are used up is closed
    as killed instead; --dry-run says so beforehand, --force runs it once more.
    """
    if all_ == (target is not None):
        raise click.UsageError("Name one thing: a TARGET, or --all.")
    end_on_sigterm()
    with shell.engine(writable=not dry_run) as engine:
        if all_:
            from .recover_all import recover_all

            if handler is not None or force or dry_run:
                raise click.UsageError("--all goes with --timeout and --strict alone.")
            sys.exit(recover_all(shell, engine, timeout=timeout, strict=strict))
        if "/" in (target or "") and "@" not in (target or ""):
            target = str(engine.latest(target).id)  # all of them tell the same scope
        if dry_run:
            plan = engine.recover(
                target, handler=handler, timeout=timeout, force=force, strict=strict, explain=True
            )
            _print_plan(shell, plan, questions_of(engine, plan.workflow_id))
            sys.exit(REFUSED if plan.obstacles else 0)
        result = engine.recover(
            target, handler=handler, timeout=timeout, force=force, strict=strict
        )
        sequel = _sequel(shell, engine, result) if result.outcome is Outcome.FAILED else ""
        _print_result(shell, result, sequel)
    if not result.success:
        sys.exit(REFUSED if result.outcome in _STOPPED else FAILED)


def _print_plan(shell: Shell, plan: RecoveryPlan, questions: Mapping[str, str]) -> None:
    if shell.as_json:
        shell.print_json(plan)
        return
    from rich.text import Text

    verdict = plan.verdict
    if len(plan.obstacles) > 1:  # each of them stands below, on lines of its own
        verdict = verdict.removesuffix(f": {'; '.join(map(str, plan.obstacles))}")
    shell.print(Text(in_options(verdict), GOOD if not plan.obstacles else BAD))
    facts = _facts(plan)
    if questions:
        facts["asked"] = "\n".join(f"{name}: {asked}" for name, asked in questions.items())
    shell.print(fields_of(facts))


def _facts(plan: RecoveryPlan) -> dict[str, RenderableType]:
    facts: dict[str, RenderableType] = {
        "workflow": str(Scope(plan.workflow_id)),
        "status": status_text(plan.status),
        "would run": plan.handler or "nothing: no handler is named",
        "completes": str(plan.scope),
        "context at": str(plan.checkpoint_id),
    }
    if plan.damage:
        facts["falls back from"] = f"{plan.fell_back_from}: {plan.damage}"
    if plan.lease:
        owner = f"{plan.lease.owner} (epoch {plan.lease.epoch}, lease {plan.standing})"
        facts["last owner"] = owner
    facts["attempts"] = str(plan.attempts)
    facts["retries"] = retries_text(plan.retry_count, plan.max_retries)
    facts["open"] = "\n".join(map(str, plan.open_scopes)) or "nothing"
    if len(plan.obstacles) != 1:  # a single one is part of the verdict
        facts["in the way"] = in_options("\n".join(map(str, plan.obstacles))) or "nothing"
    return facts


def _sequel(shell: Shell, engine: Engine, result: RecoveryResult) -> str:
    """Return what comes of a failed attempt: when it is due again, or that there is no more."""
    workflow = shlex.quote(str(Scope(result.workflow_id)))
    shown = "" if shell.verbose else f"; traceback: `holdfast show {workflow}`"
    found = engine.outline(workflow_id=result.workflow_id).opening
    opening = engine.get(found) if found is not None else None
    if opening is None:
        return shown
    if opening.status is CheckpointStatus.KILLED:
        return (
            "; its retries are used up and it is killed: mend the cause, then "
            f"`holdfast retry {workflow}`{shown}"
        )
    if opening.due_at is None:
        return shown
    pause = max((opening.due_at - opening.updated_at).total_seconds(), 0)
    return f"; due again in {pause:.3g} s{shown}"


def _print_result(shell: Shell, result: RecoveryResult, sequel: str) -> None:
    """Print the output on standard output, as `start` does, and what is to be said beside it."""
    workflow = Scope(result.workflow_id)
    if result.error is not None and shell.verbose:
        click.echo(result.error.traceback, err=True, nl=False)
    if shell.as_json:
        shell.print_json(result)
        return
    if result.fell_back_from:
        click.echo(f"fell back from {result.fell_back_from}: {'; '.join(result.reasons)}", err=True)
    took = f"{result.duration_s:.2f} s"
    if result.error is not None:
        how = _ENDED.get(result.outcome, "failed")
        click.echo(
            f"holdfast: {workflow}: attempt {result.attempt} {how} after {took}: "
            f"{in_options(result.error.summary)}{sequel}",
            err=True,
        )
        return
    click.echo(f"{workflow}: attempt {result.attempt} completed in {took}", err=True)
    for scope in result.abandoned:
        click.echo(f"not closed, now killed: {scope}", err=True)
    shell.print_json(result.output)
