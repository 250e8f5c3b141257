"""The command that finds what died."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING

import click

from ...domain.errors import InvalidRequest
from ...domain.scope import Scope
from ..times import Times, absolute
from .quantities import SECONDS
from .states import status_text
from .tables import fields_of
from .wording import in_options

if TYPE_CHECKING:
    from rich.text import Text

    from ...application.queries.find_stale import StaleWorkflow
    from .shell import Shell

_SOON_SHOWN = 3


@click.command("stale")
@click.option(
    "--threshold",
    type=SECONDS,
    default=1800.0,
    show_default=True,
    help="How long one without a lease may be silent: seconds, or 5min, 2h.",
)
@click.pass_obj
def stale_command(shell: Shell, threshold: float) -> None:
    """List what is in flight and nobody carries on.

    Why it counts as stale, who had it last, and what stands in the way of carrying it on.
    """
    limit = _threshold(threshold)
    with shell.engine() as engine:
        found = engine.stale(limit)
        # With no threshold those that are silent, and not for long enough, are among them.
        soon = [] if found or shell.as_json else engine.stale(timedelta())
    if shell.as_json:
        shell.print_json(found)
        return
    for each in found:
        shell.print_whole(_head(each))
        shell.print(fields_of(_facts(each, shell.times)))
    if not found:
        click.echo(f"nothing is stale{_hint(soon, limit)}")


def _threshold(seconds: float) -> timedelta:
    if not 0 <= seconds < inf:
        raise InvalidRequest(f"--threshold is {seconds:g}; give 0 or more seconds")
    return timedelta(seconds=min(seconds, 1e12))


def _head(stale: StaleWorkflow) -> Text:
    from rich.text import Text

    head = Text(str(Scope(stale.workflow_id)), style="bold").append("  ")
    return head.append(status_text(stale.status))


def _facts(stale: StaleWorkflow, times: Times) -> dict[str, str]:
    return {
        "since": times.text(stale.since),
        "because": stale.because.value,
        "last owner": str(stale.owner or "none"),
        "open": "\n".join(map(str, stale.open_scopes)),
        "handler": stale.handler or "none",
        "in the way": in_options("\n".join(map(str, stale.obstacles))) or "nothing",
    }


def _hint(soon: list[StaleWorkflow], threshold: timedelta) -> str:
    if not soon:
        return ""
    names = ", ".join(
        f"{Scope(each.workflow_id)} (from {_counts_from(each.since, threshold)} on)"
        for each in soon[:_SOON_SHOWN]
    )
    more = f" and {len(soon) - _SOON_SHOWN} more" if len(soon) > _SOON_SHOWN else ""
    return (
        f"; without a lease and silent for less than {threshold.total_seconds():g} s "
        f"(--threshold), so not counted yet: {names}{more}"
    )


def _counts_from(since: datetime, threshold: timedelta) -> str:
    try:
        return absolute(since + threshold)
    except OverflowError:
        return "never"
