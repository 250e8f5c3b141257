"""List checkpoints, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from ...domain.checkpoint import Checkpoint
from ...domain.ports import CheckpointFilter, OnDamage, UnitOfWork
from ..environment import Environment
from .get_checkpoint import require_workflow


@dataclass(frozen=True, slots=True)
class ListCheckpoints:
    """List the checkpoints that match, the newest first, at most *limit*."""

    wanted: CheckpointFilter
    limit: int | None = 100
    on_damage: OnDamage | None = None


def list_checkpoints(
    query: ListCheckpoints,
    *,
    uow: UnitOfWork,
    env: Environment,  # noqa: ARG001
) -> list[Checkpoint]:
    """Handle `ListCheckpoints`; what each holds is loaded when asked for.

    Raises:
        NotFound: it asks for one workflow, and that does not exist; with near names.
    """
    if query.wanted.workflow_id is not None:
        require_workflow(query.wanted.workflow_id, uow)
    return list(islice(uow.checkpoints.find(query.wanted, on_damage=query.on_damage), query.limit))
