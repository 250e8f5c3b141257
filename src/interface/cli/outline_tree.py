"""A workflow with its stages and agents as a tree on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.checkpoint_status import CheckpointStatus
from .tables import duration_text, status_text, time_text

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from ...application.queries.outline_workflow import ScopeOutline


def tree_of(outline: ScopeOutline) -> Tree:
    """Return a workflow's outline as a tree: a line a scope."""
    from rich.tree import Tree

    tree = Tree(_line(outline, str(outline.scope)))
    _add_inside(tree, outline)
    return tree


def _add_inside(tree: Tree, outline: ScopeOutline) -> None:
    for inner in outline.inside:
        name = inner.scope.agent_id or inner.scope.stage_id or ""
        _add_inside(tree.add(_line(inner, name)), inner)


def _line(outline: ScopeOutline, name: str) -> Text:
    from rich.text import Text

    line = Text(f"{name}  ").append(status_text(outline.status))
    if outline.since:
        line.append(f"  {time_text(outline.since)}", style="dim")
    if outline.worked is not None:
        line.append(f"  {duration_text(outline.worked)}", style="dim")
    if outline.opened > 1:
        line.append(f"  opened {outline.opened} times", style="yellow")
    if outline.error and outline.status in (CheckpointStatus.FAILED, CheckpointStatus.KILLED):
        line.append(f"  {outline.error.summary}", style="red")
    if outline.reason:
        line.append(f"  {outline.reason}", style="dim")
    return line
