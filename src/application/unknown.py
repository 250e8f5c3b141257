"""Asking for a workflow that does not exist: say what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from ..domain.errors import NotFound, Purged
from ..domain.ports import UnitOfWork
from ..domain.scope import Scope
from ..domain.wording import near_names

# As many names as are read to find a near one.
_NAMES_READ = 10_000


def refuse_unknown(workflow_id: str, uow: UnitOfWork) -> NoReturn:
    """Raise `NotFound` for a workflow that does not exist, `Purged` for one that was deleted."""
    at = uow.retention.purged_at(workflow_id)
    if at is not None:
        raise Purged(f"workflow {Scope(workflow_id)}", at)
    known = uow.checkpoints.workflow_ids(_NAMES_READ)
    near = near_names(workflow_id, known)
    raise NotFound(f"workflow {Scope(workflow_id)}", [str(Scope(name)) for name in near])


def unknown_scope(scope: Scope, known: Iterable[Scope]) -> NotFound:
    """Return the error for a stage or an agent that has no checkpoint."""
    near = near_names(str(scope), sorted(map(str, known)))
    return NotFound(f"{scope.kind} {scope}", near)
