"""What a doctor says of a store and its workflows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..domain.errors import Damaged
from ..domain.json_value import JsonValue
from ..domain.recoverability import ObstacleKind

if TYPE_CHECKING:
    from ..application.queries.find_stale import StaleWorkflow
    from ..domain.verification import VerifyReport
    from .engine import Engine

# What passes by itself, or is over, is no illness.
_PASSING = frozenset([ObstacleKind.HELD, ObstacleKind.NOT_DUE, ObstacleKind.COMPLETED])


@dataclass(frozen=True, slots=True)
class Blocked:
    """A workflow that cannot be resumed, and every reason why."""

    workflow_id: str
    status: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a doctor says of a store and its workflows.

    Attributes:
        in_force: what is in force, as read back, by name.
        verification: what is damaged, and what was done about it.
        blocked: what cannot be resumed: no handler here, a broken chain, killed.
        stale: what is in flight, and nobody carries on.
    """

    in_force: Mapping[str, JsonValue]
    verification: VerifyReport
    blocked: tuple[Blocked, ...]
    stale: tuple[StaleWorkflow, ...]


def diagnose(engine: Engine, *, repair: bool = False) -> Diagnosis:
    """Return what can be said of the engine's store; nothing is changed but by *repair*."""
    import warnings

    from .damaged_warning import DamagedWarning

    in_force = engine.in_force()
    verification = engine.verify(repair=repair)
    with warnings.catch_warnings():
        # What lists leave out has been found above.
        warnings.simplefilter("ignore", DamagedWarning)
        return Diagnosis(in_force, verification, _blocked(engine), tuple(engine.stale(timedelta())))


def _blocked(engine: Engine) -> tuple[Blocked, ...]:
    """Return the workflows that are not done, and that nobody can carry on as things stand."""
    found = []
    for status in ("active", "recovering", "waiting", "failed", "killed"):
        for each in engine.workflows(status=status, limit=None):
            if each.handler is None:
                continue  # a record: nobody asked for it to be carried on
            reasons = _reasons(engine, each.workflow_id)
            if reasons:
                found.append(Blocked(each.workflow_id, status, reasons))
    return tuple(found)


def _reasons(engine: Engine, workflow_id: str) -> tuple[str, ...]:
    try:
        plan = engine.recover(workflow_id=workflow_id, explain=True)
    except Damaged as damage:
        return (str(damage),)
    reasons = [each.text for each in plan.obstacles if each.kind not in _PASSING]
    if plan.damage is not None:
        reasons.append(f"falls back to {plan.checkpoint_id}: {plan.damage}")
    return tuple(reasons)
