"""What the tests of this suite work with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ....domain.attempt import Attempt
from ....domain.checkpoint import Checkpoint
from ....domain.events import DomainEvent, EventKind
from ....domain.lease import Lease, Owner
from ....domain.moment import Moment
from ....domain.ports import CheckpointFilter, Store, UnitOfWork

Save = Callable[..., Checkpoint]


AT = datetime(2026, 3, 1, tzinfo=UTC)


OWNER = Owner("host", "boot", "pid:[1]", 7, 8)


LEASE = Lease("wf", 1, "token", OWNER, 60.0, AT, Moment(AT, "boot", 1))


ATTEMPT = Attempt("wf", 1, 1, "handler", OWNER, "correlation", AT, 0)


EVENT = DomainEvent(EventKind.LEASE_TAKEN, "wf", AT)


def write_everything(uow: UnitOfWork, put: Save) -> None:
    put(uow, "wf", "workflow_start", state={"a": 1})
    uow.leases.put(LEASE)
    uow.attempts.put(ATTEMPT)
    uow.events.append(EVENT)


def everything(store: Store) -> dict[str, Any]:
    def work(uow: UnitOfWork) -> dict[str, Any]:
        return {
            "checkpoints": view(uow),
            "standing": uow.checkpoints.standing("wf") is not None,
            "lease": uow.leases.get("wf"),
            "attempts": uow.attempts.all("wf"),
            "events": [each.kind.value for each in uow.events.read()],
        }

    return store.read(work)


def view(uow: UnitOfWork) -> list[str]:
    return [str(each.id) for each in uow.checkpoints.find(CheckpointFilter())]


def ids(store: Store) -> list[str]:
    return store.read(view)
