"""Commands that compare, copy and count."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import click

from .arguments import IDS, file_named
from .progress import progress
from .shell import Shell
from .tables import Rows

if TYPE_CHECKING:
    from ..engine import Engine

_LOOK_AGAIN = 0.1


@click.command("diff")
@click.argument("old", metavar="ID", shell_complete=IDS)
@click.argument("new", metavar="ID", shell_complete=IDS)
@click.pass_obj
def diff_command(shell: Shell, old: str, new: str) -> None:
    """Show what differs between two checkpoints.

    Their states and the contexts that they add up to: what was added (+), removed (-), changed (~)
    from the first ID to the second, by path. They may be of two workflows.
    """
    with shell.engine() as engine:
        found = engine.diff(old, new)
    if shell.as_json:
        shell.print_json({"old": old, "new": new, "differences": list(found)})
        return
    signs = {"added": "+", "removed": "-", "changed": "~"}
    for each in found:
        values = {
            "added": _text(each.new),
            "removed": _text(each.old),
            "changed": f"{_text(each.old)} -> {_text(each.new)}",
        }
        click.echo(f"{signs[each.change]} {each.path}: {values[each.change]}")
    if not found:
        click.echo("no difference")


@click.command("backup")
@click.argument("file", shell_complete=file_named)
@click.pass_obj
def backup_command(shell: Shell, file: str) -> None:
    """Copy a store to a new file, while others write to it.

    By SQLite's own online backup: one consistent state, readable by its owner only. What exists is
    never overwritten. To restore it, open it: it is a store.
    """
    with shell.engine() as engine, _copying(engine, file):
        engine.backup(file)
    if shell.as_json:
        shell.print_json({"store": engine.target, "backup": file})
    else:
        click.echo(f"{engine.target} is copied to {file}")


@click.command("stats")
@click.pass_obj
def stats_command(shell: Shell) -> None:
    """Show how much a store holds, and how many bytes it takes."""
    with shell.engine() as engine:
        found = engine.stats()
    if shell.as_json:
        shell.print_json(found)
        return
    rows = Rows("of", ">number")
    rows.add_row("workflows", str(found.workflows))
    for status, count in sorted(found.statuses.items()):
        rows.add_row(f"  {status}", str(count))
    for name in ("checkpoints", "attempts", "events"):
        rows.add_row(name, str(getattr(found, name)))
    rows.add_row("bytes", f"{found.size:,}")
    rows.add_row("  of them free", f"{found.free:,}")
    shell.print(rows)


@contextmanager
def _copying(engine: Engine, file: str) -> Iterator[None]:
    """Show how much of the copy is there: what is written is looked at, from outside."""
    with progress("backup", in_bytes=True) as tell:
        if tell is None or engine.target.startswith("json:"):
            yield
            return
        whole, over = engine.stats().size, Event()

        def look() -> None:
            while not over.wait(_LOOK_AGAIN):
                with suppress(OSError):
                    made = Path(file).absolute().parent.glob(".holdfast-*.partial")
                    tell(max((each.stat().st_size for each in made), default=0), whole)

        looking = Thread(target=look, name="holdfast-progress", daemon=True)
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
