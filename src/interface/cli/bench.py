"""The command that measures on this machine."""

from __future__ import annotations

import platform
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .progress import Progress, progress
from .quantities import SIZE
from .shell import Shell
from .tables import Rows

if TYPE_CHECKING:
    from ..bench.finding import Finding, Goal
    from ..bench.options import Options


@click.command("bench")
@click.argument("what", type=click.Choice(["recovery", "save", "purge"]), required=False)
@click.option(
    "--state-size",
    type=SIZE,
    help="Of the state, as JSON: 20KB, 10MB.  [recovery: 10MB, save: 20KB, purge: 2KB]",
)
@click.option(
    "--depth",
    type=click.IntRange(2),
    help="Checkpoints there are at the start.  [100; purge: 10000]",
)
@click.option(
    "--writers",
    type=click.IntRange(0),
    help="save: threads that save at once [1]; otherwise: processes that save meanwhile "
    "[recovery: 0, purge: 1].",
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    help="How often; save: by each writer.  [recovery: 20, save: 300, purge: 5]",
)
@click.option("--keep", type=click.IntRange(1), help="purge: how many of the newest stay.  [100]")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="On the disk to be measured; by default the folder of the store, or this one.",
)
@click.option(
    "--chart",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.svg|png",
    help="Draw it, too; needs matplotlib.",
)
@click.pass_obj
def bench_command(
    shell: Shell,
    what: str | None,
    state_size: int | None,
    depth: int | None,
    writers: int | None,
    rounds: int | None,
    keep: int | None,
    folder: Path | None,
    chart: Path | None,
) -> None:
    """Measure recoveries, saves and purges on this machine.

    Without a name it measures all of them. It uses a store of its own in the folder that is to be
    measured, at the default durability, and removes it, also when it is interrupted. Your own store
    is not touched.
    """
    from ..bench.chart import draw, require_drawing
    from ..bench.every_benchmark import available
    from ..bench.options import DEFAULTS
    from ..bench.purge import NOT_THERE

    if what is not None and what not in available():
        raise click.ClickException(NOT_THERE)
    if what == "save" and writers == 0:
        raise click.UsageError("bench save needs at least one of --writers.")
    if chart is not None:
        require_drawing(chart)
    given = {
        "state_size": state_size,
        "depth": depth,
        "writers": writers,
        "rounds": rounds,
        "keep": keep,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    wanted = {
        name: replace(DEFAULTS[name], **chosen)
        for name in ([what] if what is not None else available())
    }
    findings = _measure(wanted, folder or _folder_of(shell.store))
    if chart is not None:
        draw(findings, chart)
    if shell.as_json:
        shell.print_json({"machine": _machine(), "measured": [each.to_dict() for each in findings]})
        return
    for finding in findings:
        _show(shell, finding)
    if chart is not None:
        click.echo(f"chart: {chart}")


def _measure(wanted: dict[str, Options], folder: Path) -> list[Finding]:
    from ..bench.every_benchmark import run, steps_of
    from .signals import end_on_sigterm, received

    end_on_sigterm()
    try:
        findings = []
        for name, options in wanted.items():
            steps, done = steps_of(name, options), count(1)
            with progress(f"bench {name}", "steps") as tell:
                advance = partial(_tell_next, tell, done, steps)
                findings.append(run(name, options, folder, advance))
    except KeyboardInterrupt:
        click.echo("holdfast: interrupted; the store of the benchmark is removed", err=True)
        sys.exit(128 + received())
    return findings


def _tell_next(tell: Progress | None, done: Iterator[int], steps: int) -> None:
    if tell is not None:
        tell(next(done), steps)


def _folder_of(store: str | None) -> Path:
    """Return the folder of the store, where there is one: its disk is the one that counts."""
    if store is None or store == "memory:":
        return Path.cwd()
    folder = Path(store.removeprefix("sqlite:///").removeprefix("json:")).absolute().parent
    if not folder.is_dir():
        raise click.UsageError(f"There is no folder {folder}; name one with --folder.")
    return folder


def _show(shell: Shell, finding: Finding) -> None:
    from ..bench.samples import PERCENTILES
    from ..bench.wording import size_text, time_text

    given = finding.options
    shell.print(
        f"[bold]bench {finding.benchmark}[/]  state {size_text(given.state_size)}, depth "
        f"{given.depth:,}, writers {given.writers}, rounds {given.rounds}"
    )
    columns = [">" + f"p{percent}" for percent in PERCENTILES]
    made = Rows("", ">count", *columns, ">longest")
    for name, samples in finding.series.items():
        times = [samples.percentile(percent) for percent in PERCENTILES]
        made.add_row(
            name, str(len(samples.seconds)), *map(time_text, [*times, max(samples.seconds)])
        )
    shell.print(made)
    for name, value in finding.figures.items():
        shell.print(f"{name}: {value:,.3g}" if value < 100 else f"{name}: {value:,.0f}")
    if finding.goal is not None:
        shell.print(f"goal: {finding.goal.text}: {_verdict(finding.goal, finding.options)}")
    shell.print("")


def _verdict(goal: Goal, options: Options) -> str:
    from ..bench.wording import size_text, time_text

    if goal.is_met is None:
        return f"not judged, this state has {size_text(options.state_size)}"
    return f"{'[green]met[/]' if goal.is_met else '[red]not met[/]'} ({time_text(goal.value_s)})"


def _machine() -> dict[str, str]:
    return {
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
