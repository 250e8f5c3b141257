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
    from ..diagnosis import Diagnosis

_DAMAGED = 5


@click.command("doctor")
@click.option("--repair", is_flag=True, help="Put right what can be; quarantine what cannot.")
@click.pass_obj
def doctor_command(shell: Shell, repair: bool) -> int:
    """Say what is in force, damaged, or cannot be resumed.

    Nothing is changed without --repair. With it what is damaged is put right where one byte is
    wrong, made anew where it is redundant, and else moved to a file beside the store, which ends in
    -quarantine, with what cannot be rebuilt without it; other writers wait meanwhile. Ends with 5
    when something is damaged still.
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
        said = [
            f"{each.key} = {each.value}  ({each.origin})"
            for each in configured
            if not each.is_default
        ]
        _print(shell, found, said)
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
    _section(shell, "Configured", configured, "nothing but defaults; see `holdfast config`")
    warnings = found.in_force.get("warnings")
    _section(shell, "Worth a look", warnings if isinstance(warnings, list) else [], "nothing")
    counts = ", ".join(
        f"{count:,} {name}" for name, count in found.verification.checked.items() if count
    )
    findings = [str(each) for each in found.verification.findings]
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
        {each.workflow_id: [each.because.value] for each in found.stale},
    )


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
