"""The command that shows, on real files, that a run survives being killed."""

from __future__ import annotations

import random
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .ending import FAILED
from .json_form import to_json
from .screen import width_of
from .shell import Shell

if TYPE_CHECKING:
    from ..demo.director import Performance, Play
    from ..demo.proof import Claim


@click.command("demo")
@click.option("--kills", default=2, show_default=True, type=click.IntRange(0), help="How often.")
@click.option("--seed", type=int, help="Draws the moments; the same moments for the same seed.")
@click.option(
    "--source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The source tree to analyse; by default the standard library of this Python.",
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the stores and the reports in this folder.",
)
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw the timeline of the killed run, too, as `holdfast tree --svg` does.",
)
@click.pass_obj
def demo_command(
    shell: Shell,
    kills: int,
    seed: int | None,
    source: Path | None,
    keep: Path | None,
    svg: Path | None,
) -> None:
    """Kill a real run with SIGKILL, carry it on, prove the result.

    It analyses a source tree, one agent a package, side by side, and writes a report. It runs in a
    process of its own, is killed at random moments and carried on with `holdfast recover`; its
    report must equal that of an undisturbed run, and no finished agent may have run twice.
    """
    from ..demo.director import DemoFailed

    seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
    folder = Path(tempfile.mkdtemp(prefix="holdfast-demo-")) if keep is None else keep
    root = (source or Path(sysconfig.get_paths()["stdlib"])).resolve()
    try:
        holds = _play(shell, folder, root, kills, seed)
        if svg is not None:
            _draw(folder / "killed" / "demo.db", svg)
            _say(shell, f"timeline: {svg}")
    except DemoFailed as failure:
        raise click.ClickException(str(failure)) from failure
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    if not holds:
        sys.exit(FAILED)


def _play(shell: Shell, folder: Path, root: Path, kills: int, seed: int) -> bool:
    from ..demo.director import disturbed, undisturbed
    from ..demo.proof import prove

    _say(shell, f"Analysing {root}: an undisturbed run first")
    alone = undisturbed(folder / "undisturbed", root)
    _say(shell, f"  {len(alone.agents)} agents in {alone.plays[0].ended:.1f} s")
    _say(shell, f"The same again, killed at {kills} random moments (--seed {seed})")

    def tell(play: Play) -> None:
        end = "killed" if play.killed else "done"
        _say(
            shell,
            f"  process {play.pid} ({play.command}): {len(play.finished)} agents finished, "
            f"{len(play.interrupted)} at work, {end}; {len(play.saved)} results are saved",
        )

    draw = random.Random(seed)  # noqa: S311 - moments, not secrets
    killed = disturbed(folder / "killed", root, len(alone.agents), kills, draw, tell)
    claims = prove(alone, killed, kills)
    if shell.as_json:
        shell.print_json(_as_json(alone, killed, claims, seed))
    else:
        _show(shell, killed, claims)
    return all(claim.holds for claim in claims)


def _draw(store: Path, svg: Path) -> None:
    from ..demo.director import RUN
    from ..opening import open as open_store
    from .svg_file import write_svg

    with open_store(store) as engine:
        write_svg(engine, RUN, str(svg))


def _show(shell: Shell, killed: Performance, claims: list[Claim]) -> None:
    from ..demo.timeline import timeline

    shell.print("", timeline(killed, width_of(sys.stdout) or 100))
    shell.print(
        "finished: agents that this process ran to their end. saved: results that the store held "
        "when it began, so that these agents did not run again. What a kill cut off, or kept from "
        "being saved, runs again in the next process.\n"
    )
    for claim in claims:
        mark = "[green]✓[/]" if claim.holds else "[red]✗[/]"
        shell.print(f"{mark} {claim.text}\n  [dim]{claim.evidence}[/]")
    if all(claim.holds for claim in claims):
        shell.print(
            "\n[bold green]Proved:[/] the run survived, and nothing that was saved was done again."
        )
    else:
        shell.print("\n[bold red]Not proved.[/]")


def _as_json(
    alone: Performance, killed: Performance, claims: list[Claim], seed: int
) -> dict[str, object]:
    return {
        "proved": all(claim.holds for claim in claims),
        "seed": seed,
        "claims": to_json(claims),
        "agents": len(alone.agents),
        "attempts": killed.attempts,
        "result": killed.result,
        "undisturbed": to_json(alone.plays),
        "killed": to_json(killed.plays),
    }


def _say(shell: Shell, text: str) -> None:
    """Tell how it goes; with --json on standard error, where it is in nobody's way."""
    click.echo(text, err=shell.as_json)
