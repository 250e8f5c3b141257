"""The picture of a run, in a file."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

import click

from ...application.queries.trace_workflow import TraceWorkflow, trace_workflow
from ...domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from ..engine import Engine


def write_svg(engine: Engine, workflow_id: str, file: str) -> None:
    """Draw the workflow's timeline into a file, in place of one that is there.

    Args:
        file: its path, or ``-`` for standard output.
    """
    from ..timeline.drawing import svg_of
    from ..timeline.layout import picture_of

    ask = engine._kernel.dispatcher.ask  # noqa: SLF001 - the command line's own look
    drawn = svg_of(picture_of(ask(trace_workflow, TraceWorkflow(workflow_id))))
    if file == "-":
        click.echo(drawn, nl=False)
        return
    try:
        _put(Path(file), drawn.encode())
    except OSError as error:
        raise StorageUnavailable(f"{file} cannot be written: {error.strerror}") from error


def _put(path: Path, drawn: bytes) -> None:
    """Put it in place whole, or not at all; names and errors of a run are their owner's alone."""
    if not path.is_file() and path.exists():  # a pipe, a device, a folder: nothing to replace
        path.write_bytes(drawn)
        return
    path = path.resolve()  # what a link leads to is replaced, not the link
    partial = path.with_name(f".holdfast-{token_hex(6)}.partial")
    try:
        with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as to:
            to.write(drawn)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
