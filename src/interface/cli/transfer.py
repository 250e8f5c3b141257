"""Commands that move everything: export and import."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from .arguments import file_named
from .progress import progress
from .shell import Shell

if TYPE_CHECKING:
    from ..transferring import Transferred


@click.command("export")
@click.argument("target", shell_complete=file_named)
@click.pass_obj
def export_command(shell: Shell, target: str) -> None:
    """Write everything that the store holds to TARGET.

    TARGET is a file, which is compressed when it ends in .gz or .zst; - for standard output; or a
    new store: sqlite:///PATH, json:FOLDER, or a path that ends in .db. Nothing is overwritten, and
    nothing is there until all of it is. Only its owner can read it: it holds states, and the tokens
    of leases.
    """
    from .signals import end_on_sigterm

    end_on_sigterm()
    with shell.engine() as engine, progress("export", "rows") as tell:
        done = engine.export_to(target, progress=tell)
    _tell(shell, done, f"exported to {target}", to_error=target == "-")


@click.command("import")
@click.argument("source", shell_complete=file_named)
@click.pass_obj
def import_command(shell: Shell, source: str) -> None:
    """Read everything from SOURCE into an empty store.

    SOURCE is what `holdfast export` has written: a file, compressed or not, - for standard input,
    or a store. The store is made if there is none. All of it is imported, or nothing: of a file
    that was cut short or edited you get the line and the reason.
    """
    from .signals import end_on_sigterm

    end_on_sigterm()
    store = shell.require_store()
    with progress("import", "rows") as tell:
        if _is_free(store):
            from ..transferring import import_into_new_store

            done = import_into_new_store(store, source, tell)
        else:
            with shell.engine(writable=True) as engine:
                done = engine.import_from(source, progress=tell)
    _tell(shell, done, f"imported from {source}")


def _is_free(store: str) -> bool:
    """Whether there is nothing yet where a store is to be made."""
    from ..bootstrap import place_of

    place = place_of(store)
    return place is not None and not os.path.lexists(place)


def _tell(shell: Shell, done: Transferred, what: str, *, to_error: bool = False) -> None:
    if to_error:  # standard output is the export
        click.echo(_sentence(done, what), err=True)
    elif shell.as_json:
        shell.print_json(done)
    else:
        click.echo(_sentence(done, what))


def _sentence(done: Transferred, what: str) -> str:
    events = done.events + done.checkpoints  # that one was created is an event
    return (
        f"{what}: {done.checkpoints:,} checkpoints of {done.workflows:,} workflows, "
        f"{events:,} events, {done.attempts:,} attempts, {done.leases:,} leases"
    )
