"""A workflow with its stages and agents as a tree on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...application.waits import WAIT_KIND
from ...domain.checkpoint_status import CheckpointStatus
from ..times import Times, duration_text
from .questions import answer_command_line
from .states import DOUBTFUL, STATUS_COLOURS, status_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from rich.console import RenderableType
    from rich.tree import Tree

    from ...application.queries.outline_workflow import ScopeOutline

# What went wrong stands behind its scope where that fits on the narrowest terminals.
_LINE = 64


def tree_of(
    outline: ScopeOutline, times: Times, questions: Mapping[str, str] | None = None
) -> Tree:
    """Return a workflow's outline as a tree: a line a scope, and below it what went wrong.

    Args:
        questions: what is asked and has no answer yet, by name.
    """
    from rich.tree import Tree

    tree = Tree(_label(outline, str(outline.scope), times.text(outline.since)))

    # What was opened anew began before that, and what is inside it may have been done by then.
    begun_at = min((each for each in _times(outline) if each is not None), default=None)

    def add(branch: Tree, inside: list[ScopeOutline]) -> None:
        for inner in inside:
            name = inner.scope.agent_id or inner.scope.stage_id or ""
            since = times.text_within(inner.since, begun_at)
            asks = (questions or {}).get(name) if inner.kind == WAIT_KIND else None
            add(branch.add(_label(inner, name, since, asks)), inner.inside)

    add(tree, outline.inside)
    return tree


def _times(outline: ScopeOutline) -> Iterator[datetime | None]:
    yield outline.since
    for inner in outline.inside:
        yield from _times(inner)


def _label(outline: ScopeOutline, name: str, since: str, asks: str | None = None) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    is_root = outline.scope.stage_id is None
    line = Text.assemble((name, "bold" if is_root else ""), "  ", status_text(outline.status))
    for told in (since, _took(outline)):
        line.append(f"  {told}" if told else "", style="dim")
    if outline.opened > 1:
        line.append(f"  opened {outline.opened} times", style=DOUBTFUL)
    if asks is not None:
        command = answer_command_line(outline.scope.workflow_id, name)
        return Group(line, *(Padding(Text(each), (0, 0, 0, 2)) for each in (asks, command)))
    style = STATUS_COLOURS[outline.status] if outline.status else ""
    troubles = _troubles(outline)
    if len(troubles) == 1 and line.cell_len + len(troubles[0]) <= _LINE:
        return line.append(f"  {troubles[0]}", style)
    return Group(line, *(Padding(Text(text, style), (0, 0, 0, 2)) for text in troubles))


def _took(outline: ScopeOutline) -> str:
    if outline.kind == WAIT_KIND and outline.since and outline.until:
        # Nobody worked on it meanwhile: what counts is how long the answer took.
        return f"waited {duration_text(outline.until - outline.since)}"
    return duration_text(outline.worked)


def _troubles(outline: ScopeOutline) -> list[str]:
    """Return what went wrong, each once: the reason of a kill often tells the last error."""
    failed = outline.status in (CheckpointStatus.FAILED, CheckpointStatus.KILLED)
    error = outline.error.summary if outline.error and failed else ""
    reason = outline.reason or ""
    return [each for each in ("" if error in reason else error, reason) if each]
