"""A checkpoint on a terminal: what it is as a table, what it holds in full below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .json_form import to_text
from .tables import status_text, table

if TYPE_CHECKING:
    from ...domain.checkpoint import Checkpoint
    from .shell import Shell


def print_checkpoint(shell: Shell, checkpoint: Checkpoint, found: dict[str, Any]) -> None:
    """Print *found*, the JSON form of *checkpoint*; what is empty is left out."""
    from rich.json import JSON
    from rich.text import Text

    rows = table("", "")
    rows.show_header = False
    blocks: list[tuple[str, Text]] = []
    for name, value in found.items():
        if value in (None, {}, []):
            continue
        if name == "status":
            rows.add_row(name, status_text(checkpoint.status))
        elif name == "error" and checkpoint.error is not None:
            rows.add_row(name, checkpoint.error.summary)
            if checkpoint.error.traceback:
                blocks.append(("traceback", Text(checkpoint.error.traceback.rstrip())))
        elif isinstance(value, dict | list):
            blocks.append((name, JSON(to_text(value)).text))
        else:
            rows.add_row(name, str(value))
    shell.print(rows)
    for name, block in blocks:
        shell.print_whole(Text(name, style="bold"), block)
