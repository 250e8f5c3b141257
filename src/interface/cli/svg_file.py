"""The picture of a run, in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...application.queries.trace_workflow import TraceWorkflow, trace_workflow

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
        Path(file).write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise click.FileError(file, error.strerror or "cannot be written") from error
