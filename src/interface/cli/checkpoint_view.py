"""A checkpoint on a terminal: what it is as a table, what it holds in full below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .json_form import to_text
from .states import BAD, status_text
from .tables import fields_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...domain.checkpoint import Checkpoint
    from .shell import Shell

_TIMES = ("created_at", "updated_at", "due_at")


def print_checkpoint(shell: Shell, checkpoint: Checkpoint, found: dict[str, Any]) -> None:
    """Print *found*, the JSON form of *checkpoint*; what is empty is left out."""
    from rich.json import JSON
    from rich.text import Text

    facts: dict[str, RenderableType] = {}
    blocks: list[tuple[str, Text]] = []
    for name, value in found.items():
        if value in (None, {}, []):
            continue
        if name == "status":
            facts[name] = status_text(checkpoint.status)
        elif name == "error" and checkpoint.error is not None:
            facts[name] = Text(checkpoint.error.summary, style=BAD)
            if checkpoint.error.traceback:
                blocks.append(("traceback", Text(checkpoint.error.traceback.rstrip())))
        elif isinstance(value, dict | list):
            blocks.append((name, JSON(to_text(value)).text))
        elif name in _TIMES:
            facts[name] = shell.times.text(getattr(checkpoint, name))
        else:
            facts[name] = str(value)
    # Whole, on a line of its own: it is what the next command is given.
    shell.print_whole(Text(str(checkpoint.id), style="bold"))
    facts.pop("id", None)
    shell.print(fields_of(facts))
    for name, block in blocks:
        shell.print_whole(Text(f"\n{name}", style="bold"), block)
