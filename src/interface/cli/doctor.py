"""The command that examines a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...domain.scope import Scope
from .shell import Shell

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

    with shell.engine(writable=repair) as engine:
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
        name: _shown(value)
        for name, value in found.in_force.items()
        if name not in ("warnings", "leftovers")
    }
    click.echo("In force")
    shell.print(fields_of(facts))
    _section("Configured", configured, "nothing but defaults; see `holdfast config`")
    warnings = found.in_force.get("warnings")
    _section("Worth a look", warnings if isinstance(warnings, list) else [], "nothing")
    counts = ", ".join(f"{count} {name}" for name, count in found.verification.checked.items())
    findings = [str(each) for each in found.verification.findings]
    _section("Damage", findings, f"none among {counts}")
    if found.verification.quarantine:
        click.echo(f"  what was taken out is in {found.verification.quarantine}")
    _section(
        "Cannot be resumed",
        [f"{Scope(each.workflow_id)}: {'; '.join(each.reasons)}" for each in found.blocked],
        "nothing",
    )
    _section(
        "In flight, and nobody carries it on",
        [f"{Scope(each.workflow_id)}: {each.because.value}" for each in found.stale],
        "nothing",
    )


def _section(title: str, lines: list[Any], otherwise: str) -> None:
    click.echo(f"\n{title}")
    for line in lines or [otherwise]:
        click.echo(f"  {line}")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
