"""Holdfast: an embedded checkpoint and recovery engine for orchestrators.

A long run writes checkpoints as it goes, and carries on exactly where it was after a crash.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .application.queries.find_stale import StaleWorkflow as StaleWorkflow
    from .application.queries.outline_workflow import ScopeOutline as ScopeOutline
    from .application.queries.plan_recovery import RecoveryPlan as RecoveryPlan
    from .application.retention.reports import (
        ConsolidateReport as ConsolidateReport,
    )
    from .application.retention.reports import (
        DeleteReport as DeleteReport,
    )
    from .application.retention.reports import (
        PurgedWorkflow as PurgedWorkflow,
    )
    from .application.retention.reports import (
        PurgeProgress as PurgeProgress,
    )
    from .application.retention.reports import (
        PurgeReport as PurgeReport,
    )
    from .application.runs.recovery_result import RecoveryResult as RecoveryResult
    from .domain.attempt import (
        Attempt as Attempt,
    )
    from .domain.attempt import (
        Outcome as Outcome,
    )
    from .domain.checkpoint import Checkpoint as Checkpoint
    from .domain.checkpoint_id import CheckpointId as CheckpointId
    from .domain.checkpoint_status import CheckpointStatus as CheckpointStatus
    from .domain.checkpoint_type import CheckpointType as CheckpointType
    from .domain.difference import Difference as Difference
    from .domain.error_record import ErrorRecord as ErrorRecord
    from .domain.errors import (
        AlreadyAnswered as AlreadyAnswered,
    )
    from .domain.errors import (
        AnsweredTooLate as AnsweredTooLate,
    )
    from .domain.errors import (
        AnswerRefused as AnswerRefused,
    )
    from .domain.errors import (
        Cancelled as Cancelled,
    )
    from .domain.errors import (
        ChainBroken as ChainBroken,
    )
    from .domain.errors import (
        CheckpointCorrupted as CheckpointCorrupted,
    )
    from .domain.errors import (
        CommandFailed as CommandFailed,
    )
    from .domain.errors import (
        Damaged as Damaged,
    )
    from .domain.errors import (
        DuplicateName as DuplicateName,
    )
    from .domain.errors import (
        ExportDamaged as ExportDamaged,
    )
    from .domain.errors import (
        Fenced as Fenced,
    )
    from .domain.errors import (
        ForeignRun as ForeignRun,
    )
    from .domain.errors import (
        HandlerDied as HandlerDied,
    )
    from .domain.errors import (
        HandlerFailed as HandlerFailed,
    )
    from .domain.errors import (
        HandlerNotFound as HandlerNotFound,
    )
    from .domain.errors import (
        HoldfastError as HoldfastError,
    )
    from .domain.errors import (
        IllegalTransition as IllegalTransition,
    )
    from .domain.errors import (
        InputChanged as InputChanged,
    )
    from .domain.errors import (
        InvalidConfiguration as InvalidConfiguration,
    )
    from .domain.errors import (
        InvalidId as InvalidId,
    )
    from .domain.errors import (
        InvalidRequest as InvalidRequest,
    )
    from .domain.errors import (
        LeaseHeld as LeaseHeld,
    )
    from .domain.errors import (
        NotAsked as NotAsked,
    )
    from .domain.errors import (
        NotAStore as NotAStore,
    )
    from .domain.errors import (
        NotFound as NotFound,
    )
    from .domain.errors import (
        NotRecoverable as NotRecoverable,
    )
    from .domain.errors import (
        Purged as Purged,
    )
    from .domain.errors import (
        PurgeUnderWay as PurgeUnderWay,
    )
    from .domain.errors import (
        Refused as Refused,
    )
    from .domain.errors import (
        SchemaMismatch as SchemaMismatch,
    )
    from .domain.errors import (
        SchemaTooNew as SchemaTooNew,
    )
    from .domain.errors import (
        SchemaTooOld as SchemaTooOld,
    )
    from .domain.errors import (
        ScopeOpen as ScopeOpen,
    )
    from .domain.errors import (
        StateNotSerializable as StateNotSerializable,
    )
    from .domain.errors import (
        StateTooLarge as StateTooLarge,
    )
    from .domain.errors import (
        StorageUnavailable as StorageUnavailable,
    )
    from .domain.errors import (
        StoreBusy as StoreBusy,
    )
    from .domain.errors import (
        StoreClosed as StoreClosed,
    )
    from .domain.errors import (
        StoreNotEmpty as StoreNotEmpty,
    )
    from .domain.errors import (
        TargetExists as TargetExists,
    )
    from .domain.errors import (
        TimedOut as TimedOut,
    )
    from .domain.errors import (
        Waiting as Waiting,
    )
    from .domain.events import (
        DomainEvent as DomainEvent,
    )
    from .domain.events import (
        EventKind as EventKind,
    )
    from .domain.execution_context import ExecutionContext as ExecutionContext
    from .domain.ports.store_care import StoreStats as StoreStats
    from .domain.retention import Retention as Retention
    from .domain.scope import Scope as Scope
    from .domain.snapshots import (
        AgentStateSnapshot as AgentStateSnapshot,
    )
    from .domain.snapshots import (
        StageStateSnapshot as StageStateSnapshot,
    )
    from .domain.snapshots import (
        WorkflowStateSnapshot as WorkflowStateSnapshot,
    )
    from .domain.verification import (
        Finding as Finding,
    )
    from .domain.verification import (
        VerifyReport as VerifyReport,
    )
    from .domain.workflow_summary import WorkflowSummary as WorkflowSummary
    from .interface.async_engine import AsyncEngine as AsyncEngine
    from .interface.async_run import (
        AsyncAgent as AsyncAgent,
    )
    from .interface.async_run import (
        AsyncRun as AsyncRun,
    )
    from .interface.async_run import (
        AsyncStage as AsyncStage,
    )
    from .interface.configuration.values import Configuration as Configuration
    from .interface.damaged_warning import DamagedWarning as DamagedWarning
    from .interface.engine import Engine as Engine
    from .interface.log import Log as Log
    from .interface.opening import (
        open as open,
    )
    from .interface.opening import (
        open_async as open_async,
    )
    from .interface.purge_schedule import PurgeSchedule as PurgeSchedule
    from .interface.registry import Registry as Registry
    from .interface.run import (
        Agent as Agent,
    )
    from .interface.run import (
        Run as Run,
    )
    from .interface.run import (
        Stage as Stage,
    )
    from .interface.settings import Settings as Settings
    from .interface.transferring import Transferred as Transferred

__version__ = "0.1.0"

# Where each public name lives. They are loaded when first asked for: a program that only wants the
# version, or one error, does not pay for everything.
_HOMES = {
    "application.queries.find_stale": ["StaleWorkflow"],
    "application.queries.outline_workflow": ["ScopeOutline"],
    "application.queries.plan_recovery": ["RecoveryPlan"],
    "application.retention.reports": [
        "ConsolidateReport",
        "DeleteReport",
        "PurgeProgress",
        "PurgeReport",
        "PurgedWorkflow",
    ],
    "application.runs.recovery_result": ["RecoveryResult"],
    "domain.attempt": ["Attempt", "Outcome"],
    "domain.checkpoint": ["Checkpoint"],
    "domain.checkpoint_id": ["CheckpointId"],
    "domain.checkpoint_status": ["CheckpointStatus"],
    "domain.checkpoint_type": ["CheckpointType"],
    "domain.difference": ["Difference"],
    "domain.error_record": ["ErrorRecord"],
    "domain.errors": [
        "AlreadyAnswered",
        "AnswerRefused",
        "AnsweredTooLate",
        "NotAsked",
        "Cancelled",
        "ChainBroken",
        "CheckpointCorrupted",
        "Damaged",
        "CommandFailed",
        "DuplicateName",
        "ExportDamaged",
        "Fenced",
        "ForeignRun",
        "HandlerDied",
        "HandlerFailed",
        "HandlerNotFound",
        "HoldfastError",
        "IllegalTransition",
        "InputChanged",
        "InvalidConfiguration",
        "InvalidId",
        "InvalidRequest",
        "LeaseHeld",
        "NotAStore",
        "NotFound",
        "NotRecoverable",
        "PurgeUnderWay",
        "Purged",
        "Refused",
        "SchemaMismatch",
        "SchemaTooNew",
        "SchemaTooOld",
        "ScopeOpen",
        "StateNotSerializable",
        "StateTooLarge",
        "StorageUnavailable",
        "StoreBusy",
        "StoreClosed",
        "StoreNotEmpty",
        "TargetExists",
        "TimedOut",
        "Waiting",
    ],
    "domain.events": ["DomainEvent", "EventKind"],
    "domain.execution_context": ["ExecutionContext"],
    "domain.retention": ["Retention"],
    "domain.ports.store_care": ["StoreStats"],
    "domain.scope": ["Scope"],
    "domain.snapshots": ["AgentStateSnapshot", "StageStateSnapshot", "WorkflowStateSnapshot"],
    "domain.verification": ["Finding", "VerifyReport"],
    "domain.workflow_summary": ["WorkflowSummary"],
    "interface.async_engine": ["AsyncEngine"],
    "interface.async_run": ["AsyncAgent", "AsyncRun", "AsyncStage"],
    "interface.configuration.values": ["Configuration"],
    "interface.damaged_warning": ["DamagedWarning"],
    "interface.engine": ["Engine"],
    "interface.log": ["Log"],
    "interface.opening": ["open", "open_async"],
    "interface.purge_schedule": ["PurgeSchedule"],
    "interface.registry": ["Registry"],
    "interface.run": ["Agent", "Run", "Stage"],
    "interface.settings": ["Settings"],
    "interface.transferring": ["Transferred"],
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
