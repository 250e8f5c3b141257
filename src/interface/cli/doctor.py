"""The command that examines a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...domain.scope import Scope
from .progress import elapsing
from .quantities import size_text
from .shell import Shell
from .states import BAD, DOUBTFUL
from .wording import in_options

if TYPE_CHECKING:
    from ...application.queries.find_stale import StaleWorkflow
    from ..diagnosis import Diagnosis

_DAMAGED = 5


@click.command("doctor")
@click.option("--repair", is_flag=True, help="Put right what can be; quarantine what cannot.")
@click.pass_obj
def doctor_command(shell: Shell, repair: bool) -> int:
    """Say what is in force, damaged, or cannot be resumed.

    Nothing is changed without --repair. With it what is redundant is made anew, and what else is
    damaged moved to a quarantine (FILE-quarantine beside a file, quarantine/ in a folder), with
    what cannot be rebuilt without it; in SQLite one wrong byte is put right. Other writers wait
    meanwhile. Ends with 5 when something is damaged still.
    """
    from ..configuration.listing import listed
    from ..diagnosis import diagnose

    with shell.engine(writable=repair) as engine, elapsing("doctor"):
        found = diagnose(engine, repair=repair)
    configured = listed(shell.config)
    if shell.as_json:
        report = found.verification
        shell.print_json(
            {
                "intact": report.intact,
                "in_force": found.in_force,
                "verification": report,
                "blocked": list(found.blocked),
                "stale": list(found.stale),
                "configuration": {
                    "file": str(shell.config.file) if shell.config.file else None,
                    "values": list(configured),
                },
            }
        )
    else:
        _print(shell, found, [f"{each.key} = {each.value}  ({each.origin})" for each in configured])
    return 0 if found.verification.intact else _DAMAGED


def _print(shell: Shell, found: Diagnosis, configured: list[str]) -> None:
    from .tables import fields_of

    facts = {
        name: _shown(name, value)
        for name, value in found.in_force.items()
        if name not in ("warnings", "leftovers")
    }
    _title(shell, "In force")
    shell.print(fields_of(facts))
    _section(shell, "Configured, and where that was said", configured, "nothing", "")
    warnings = found.in_force.get("warnings")
    leftovers = found.verification.leftovers
    worth = [*(warnings if isinstance(warnings, list) else []), *leftovers]
    _section(shell, "Worth a look", worth, "nothing")
    counts = ", ".join(
        f"{count:,} {name}" for name, count in found.verification.checked.items() if count
    )
    findings = [str(each) for each in found.verification.findings if each not in leftovers]
    _section(shell, "Damage", findings, f"none among {counts or 'nothing'}", BAD)
    if found.verification.quarantine:
        click.echo(f"  what was taken out is in {found.verification.quarantine}")
    _subjects(
        shell,
        "Cannot be resumed",
        {
            each.workflow_id: [in_options(str(why)) for why in each.reasons]
            for each in found.blocked
        },
    )
    _subjects(
        shell,
        "In flight, and nobody carries it on",
        {each.workflow_id: [_stale_text(each)] for each in found.stale},
    )


def _stale_text(stale: StaleWorkflow) -> str:
    """Say whose lease it was, where there was one: that process is gone, or silent."""
    owner = f", held under epoch {stale.epoch} by {stale.owner}" if stale.owner else ""
    since = stale.since.isoformat(timespec="seconds")
    return f"{stale.because.value} since {since}{owner}"


def _section(
    shell: Shell, title: str, lines: list[Any], otherwise: str, colour: str = DOUBTFUL
) -> None:
    from rich.padding import Padding
    from rich.text import Text

    _title(shell, f"\n{title}")
    for line in lines:
        shell.print(Padding(Text(str(line), colour), (0, 0, 0, 2)))
    if not lines:
        shell.print(Padding(Text(otherwise), (0, 0, 0, 2)))


def _subjects(shell: Shell, title: str, reasons: dict[str, list[str]]) -> None:
    """Print names, each whole on a line, and what is to be said of it below."""
    from rich.padding import Padding
    from rich.text import Text

    _title(shell, f"\n{title}")
    for workflow_id, lines in reasons.items():
        shell.print_whole(Text(f"  {Scope(workflow_id)}"))
        for line in lines:
            shell.print(Padding(Text(line, "dim"), (0, 0, 0, 4)))
    if not reasons:
        click.echo("  nothing")


def _title(shell: Shell, text: str) -> None:
    from rich.text import Text

    shell.print_whole(Text(text, style="bold"))


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name.endswith("bytes"):
        return size_text(value)
    return str(value)
