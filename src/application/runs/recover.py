"""Recovery in five phases: load, validate, rebuild, resolve, resume."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.checkpoint_id import CheckpointId
from ...domain.error_record import ErrorRecord
from ...domain.errors import HandlerNotFound, NotRecoverable
from ...domain.ports import HandlerRegistry, HandlerSpec
from ...domain.scope import Scope
from ..commands.begin_attempt import BeginAttempt, FallBack
from ..queries.plan_recovery import PlanRecovery, RecoveryPlan, plan_recovery
from ..scopes import opening_entry
from .attempt import AttemptKit, Ended, HeadMoved, begin, carry, settle_debts
from .flow import Flow, Read
from .recovery_result import RecoveryResult
from .session import LeaseTerms


@dataclass(frozen=True, slots=True)
class Recover:
    """Carry a workflow on.

    Attributes:
        target: a workflow, or a checkpoint of it: whose handler runs.
        handler: an override.
        timeout: seconds for the handler; ``None`` for its own limit.
        force: pass over a living lease, over back-off and over used-up retries.
        strict: raise on damage instead of falling back to the newest intact ancestor.
    """

    target: CheckpointId | Scope
    correlation_id: str
    terms: LeaseTerms
    handler: str | None = None
    timeout: float | None = None
    force: bool = False
    strict: bool = False


def plan(kit: AttemptKit, command: Recover, registry: HandlerRegistry) -> Flow[RecoveryPlan]:
    """Go through the phases load, validate, rebuild and resolve; change nothing."""
    query = PlanRecovery(command.target, registry, command.handler, command.strict, command.force)
    planned: RecoveryPlan = yield Read(lambda uow: plan_recovery(query, uow=uow, env=kit.env))
    return planned


def recover(kit: AttemptKit, command: Recover, registry: HandlerRegistry) -> Flow[RecoveryResult]:
    """Go through all five phases.

    Raises:
        NotRecoverable: nothing was run; has every reason. Where the only one is that its retries
            are used up, the workflow was killed.
    """
    started = kit.env.clock.moment().uptime_ns
    yield from settle_debts(kit, command.target.workflow_id)
    while True:
        planned = yield from plan(kit, command, registry)
        if planned.obstacles and not planned.would_kill:
            raise NotRecoverable(str(command.target), map(str, planned.obstacles))
        spec = _spec(planned, registry)
        order, past = _order(command, planned), planned.replay
        try:
            session = yield from begin(kit, order, command.terms, planned.scope, past=past)
        except HeadMoved:
            continue
        break
    timeout = command.timeout if command.timeout is not None else spec.timeout
    ended = yield from carry(kit, session, spec, timeout)
    seconds = (kit.env.clock.moment().uptime_ns - started) / 1e9
    return _result(ended, planned, seconds)


def _order(command: Recover, planned: RecoveryPlan) -> BeginAttempt:
    return BeginAttempt(
        # A record is opened by whoever names a handler for it.
        opening_entry(Scope(planned.workflow_id), resume_handler=planned.handler),
        planned.handler,
        command.correlation_id,
        command.terms.duration,
        force=command.force,
        target=command.target if isinstance(command.target, CheckpointId) else None,
        fall_back=FallBack(planned.fell_back_from, planned.checkpoint_id)
        if planned.fell_back_from
        else None,
        scope=planned.scope,
    )


def _spec(planned: RecoveryPlan, registry: HandlerRegistry) -> HandlerSpec:
    spec = registry.get(planned.handler) if planned.handler is not None else None
    if spec is None:
        raise HandlerNotFound(planned.handler or "", registry.names())
    return spec


def _result(ended: Ended, planned: RecoveryPlan, seconds: float) -> RecoveryResult:
    return RecoveryResult(
        success=ended.error is None,
        outcome=ended.finished.outcome,
        checkpoint=ended.finished.checkpoint,
        workflow_id=planned.workflow_id,
        output=ended.output,
        error=ErrorRecord.of(ended.error) if ended.error is not None else None,
        attempt=ended.attempt,
        abandoned=ended.finished.abandoned,
        fell_back_from=planned.fell_back_from,
        reasons=(planned.damage,) if planned.damage else (),
        duration_s=seconds,
    )
