"""Recovering whatever can be recovered now, one after the other."""

from __future__ import annotations

import click

from ...application.queries.find_due import FindDue, find_due
from ...domain.errors import HoldfastError, NotRecoverable
from ...domain.scope import Scope
from ..engine import Engine
from .ending import FAILED
from .shell import Shell
from .wording import message_of


def recover_all(shell: Shell, engine: Engine, *, timeout: float | None, strict: bool) -> int:
    """Recover what is stale, failed and due, answered or waited out; return the exit code.

    Each is tried once, one after the other; one that fails does not keep the others from it.
    """
    kernel = engine._kernel  # noqa: SLF001 - the command line's own look at what is due
    due = kernel.dispatcher.ask(find_due, FindDue(kernel.registry))
    told: list[dict[str, object]] = []
    for found in due.ready:
        told.append(_recovered(engine, found.workflow_id, timeout, strict))
        if not shell.as_json:
            _print(told[-1])
    for blocked in due.blocked:
        reasons = "; ".join(map(str, blocked.obstacles))
        told.append({"workflow_id": blocked.workflow_id, "ended": "blocked", "why": reasons})
    for workflow, why in due.damaged.items():
        told.append({"workflow_id": workflow, "ended": "damaged", "why": why})
    if shell.as_json:
        shell.print_json(told)
    else:
        for each in told[len(due.ready) :]:
            _print(each)
        if not told:
            click.echo("nothing is to be recovered now")
    return FAILED if any(each["ended"] in ("failed", "damaged") for each in told) else 0


def _recovered(
    engine: Engine, workflow: str, timeout: float | None, strict: bool
) -> dict[str, object]:
    told: dict[str, object] = {"workflow_id": workflow, "why": None}
    try:
        result = engine.recover(workflow_id=workflow, timeout=timeout, strict=strict)
    except NotRecoverable as refused:
        return {**told, "ended": "killed" if refused.killed else "passed", "why": str(refused)}
    except HoldfastError as error:
        return {**told, "ended": "failed", "why": str(error)}
    why = result.error.summary if result.error else None
    return {**told, "ended": result.outcome.value, "why": why}


def _print(told: dict[str, object]) -> None:
    why = f": {message_of(Exception(told['why']))}" if told["why"] else ""
    click.echo(f"{Scope(str(told['workflow_id']))} {told['ended']}{why}")
