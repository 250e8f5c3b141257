"""Sequences, leases and attempts in files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from ...domain.attempt import Attempt, Outcome
from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import CheckpointCorrupted, InvalidId
from ...domain.lease import Lease, Owner
from ...domain.moment import Moment
from . import layout
from .checkpoint_file import error_document, error_of, time_of, time_text
from .documents import Document
from .lost_leases import highest_epoch, lost_lease
from .pointer import pointer_of
from .traces import ATTEMPT, attempt_paths, last_attempt_path
from .view import View

T = TypeVar("T")

LEASE = "lease"


class JsonSequences:
    """Numbers the checkpoints of each workflow."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._given: dict[str, int] = {}

    def next(self, workflow_id: str) -> int:
        """Return a number above every one that the workflow ever had acknowledged."""
        last = self._given.get(workflow_id, 0)
        pointer = pointer_of(self._view, workflow_id)
        if pointer is not None:
            last = max(last, pointer.floor, pointer.head.sequence if pointer.head else 0)
        self._given[workflow_id] = last + 1
        return last + 1


class JsonLeaseStore:
    """Keeps the last lease of each resource."""

    def __init__(self, view: View) -> None:
        self._view = view

    def get(self, resource: str) -> Lease | None:
        """Return the last lease of *resource*, over or not."""
        return self.kept(resource) or lost_lease(self._view, resource)

    def put(self, lease: Lease) -> None:
        """Keep *lease* as the last one of its resource."""
        kept = self.kept(lease.resource)
        floor = kept.epoch if kept is not None else highest_epoch(self._view, lease.resource)
        if lease.epoch < floor:
            raise ValueError(f"epoch {lease.epoch} of {lease.resource} is below {floor}")
        self._view.write(layout.lease(lease.resource), LEASE, _lease_document(lease))
        if kept is None or lease.epoch > floor:
            self._note_epoch(lease)

    def kept(self, resource: str) -> Lease | None:
        """Return what the file of a lease says; raises `CheckpointCorrupted`."""
        subject = f"the lease of {resource}"
        found = self._view.read(layout.lease(resource), LEASE, subject)
        if found is None:
            return None
        lease = _intact(_lease_of, found, subject)
        if lease.resource != resource:
            raise CheckpointCorrupted(subject, f"its file holds that of {lease.resource}")
        return lease

    def _note_epoch(self, lease: Lease) -> None:
        """Let the workflow know, should this file get lost."""
        pointer = pointer_of(self._view, lease.resource)
        if pointer is not None and pointer.epoch < lease.epoch:
            pointer.epoch = lease.epoch
            pointer.save(self._view)


class JsonAttemptLog:
    """Keeps the attempts of each workflow."""

    def __init__(self, view: View) -> None:
        self._view = view

    def put(self, attempt: Attempt) -> None:
        """Keep *attempt*, in place of the one with its workflow and number."""
        path = layout.attempt(attempt.workflow_id, attempt.number)
        self._view.write(path, ATTEMPT, _attempt_document(attempt))

    def last(self, workflow_id: str) -> Attempt | None:
        """Return the workflow's newest attempt."""
        path = last_attempt_path(self._view, workflow_id)
        return self.read(path, workflow_id) if path is not None else None

    def all(self, workflow_id: str) -> list[Attempt]:
        """Return the workflow's attempts, the oldest first."""
        return [self.read(path, workflow_id) for path in attempt_paths(self._view, workflow_id)]

    def read(self, path: str, workflow_id: str) -> Attempt:
        """Return the attempt in a file of a workflow's; raises `CheckpointCorrupted`."""
        subject = f"an attempt of {workflow_id}"
        found = self._view.read(path, ATTEMPT, subject)
        if found is None:
            raise CheckpointCorrupted(subject, "its file is missing")
        attempt = _intact(_attempt_of, found, subject)
        if layout.attempt(attempt.workflow_id, attempt.number) != path:
            raise CheckpointCorrupted(subject, f"{path} holds another one")
        return attempt


def _intact(parse: Callable[[Document], T], found: Document, subject: str) -> T:
    try:
        return parse(found)
    except (KeyError, TypeError, ValueError, InvalidId) as error:
        raise CheckpointCorrupted(
            subject, f"its file is not what can have been written ({error})"
        ) from error


def _lease_document(lease: Lease) -> Document:
    return {
        "resource": lease.resource,
        "epoch": lease.epoch,
        "token": lease.token,
        "owner": _owner_document(lease.owner),
        "duration": float(lease.duration),
        "taken_at": lease.taken_at.isoformat(),
        "renewed_at": lease.renewed.wall.isoformat(),
        "renewed_boot_id": lease.renewed.boot_id,
        "renewed_uptime_ns": lease.renewed.uptime_ns,
        "stop_asked_at": time_text(lease.stop_asked_at),
    }


def _lease_of(found: Document) -> Lease:
    renewed = Moment(
        datetime.fromisoformat(found["renewed_at"]),
        found["renewed_boot_id"],
        found["renewed_uptime_ns"],
    )
    return Lease(
        found["resource"],
        found["epoch"],
        found["token"],
        Owner(**found["owner"]),
        found["duration"],
        datetime.fromisoformat(found["taken_at"]),
        renewed,
        time_of(found["stop_asked_at"]),
    )


def _owner_document(owner: Owner) -> Document:
    return {
        "host": owner.host,
        "boot_id": owner.boot_id,
        "pid_namespace": owner.pid_namespace,
        "pid": owner.pid,
        "started": owner.started,
    }


def _attempt_document(attempt: Attempt) -> Document:
    return {
        "workflow_id": attempt.workflow_id,
        "number": attempt.number,
        "epoch": attempt.epoch,
        "handler": attempt.handler,
        "owner": _owner_document(attempt.owner),
        "correlation_id": attempt.correlation_id,
        "begun_at": attempt.begun_at.isoformat(),
        "begun_after": attempt.begun_after,
        "target": str(attempt.target) if attempt.target else None,
        "ended_at": time_text(attempt.ended_at),
        "outcome": attempt.outcome.value if attempt.outcome else None,
        "error": error_document(attempt.error),
        "output_tail": attempt.output_tail,
    }


def _attempt_of(found: Document) -> Attempt:
    return Attempt(
        workflow_id=found["workflow_id"],
        number=found["number"],
        epoch=found["epoch"],
        handler=found["handler"],
        owner=Owner(**found["owner"]),
        correlation_id=found["correlation_id"],
        begun_at=datetime.fromisoformat(found["begun_at"]),
        begun_after=found["begun_after"],
        target=CheckpointId.parse(found["target"]) if found["target"] else None,
        ended_at=time_of(found["ended_at"]),
        outcome=Outcome(found["outcome"]) if found["outcome"] else None,
        error=error_of(found["error"]),
        output_tail=found["output_tail"],
    )
