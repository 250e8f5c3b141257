"""What a workflow asks, and the command that answers it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from ...application.waits import open_waits
from ...domain.errors import Damaged
from ...domain.scope import Scope
from ...domain.wording import shorten_text

if TYPE_CHECKING:
    from ...domain.ports import UnitOfWork
    from ..engine import Engine


def questions_of(engine: Engine, workflow_id: str) -> dict[str, str]:
    """Return the questions that have no answer yet, in short, by their names."""

    def look(uow: UnitOfWork) -> dict[str, str]:
        waits = [each for each in open_waits(workflow_id, uow) if not each.is_answered]
        standing = uow.checkpoints.standing(workflow_id) if waits else None
        if standing is None:
            return {}
        replay = uow.checkpoints.replay(standing.head)
        return {
            each.name: shorten_text(
                json.dumps(replay.record(each.opening.scope).input, ensure_ascii=False)
            )
            for each in waits
        }

    try:
        return engine._kernel.dispatcher.read(look)  # noqa: SLF001 - the command line's own look
    except Damaged:
        return {}  # what is not damaged is shown all the same


def answer_command_line(workflow_id: str, name: str) -> str:
    """Return the command that answers a question, ready for a shell but for the answer."""
    return f"holdfast answer {shlex.quote(str(Scope(workflow_id)))} {shlex.quote(name)} '…'"
