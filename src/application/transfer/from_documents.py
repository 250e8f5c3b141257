"""Writing documents into a store that holds nothing yet."""

from __future__ import annotations

from contextlib import suppress

from ...domain.attempt import Attempt, Outcome
from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.errors import NotFound
from ...domain.events import DomainEvent, EventKind
from ...domain.gone import Gone, joined
from ...domain.json_value import JsonObject, JsonValue
from ...domain.lease import Lease
from ...domain.moment import Moment
from ...domain.payload import Payload
from ...domain.ports import Codec, UnitOfWork
from ...domain.retention import OwnRetention
from ...domain.scope import Scope
from .base import replay_of
from .document import Document, Kind, MisfitDocument
from .members import Members


def is_empty(uow: UnitOfWork) -> bool:
    """Whether nothing was ever written to a store."""
    return not uow.transfer.last_number() and next(uow.transfer.names(), None) is None


def write_document(document: Document, uow: UnitOfWork, codec: Codec) -> None:
    """Write what *document* says; they come in the order in which `documents` gives them.

    Args:
        codec: without a limit that the store of origin did not have.

    Raises:
        ValueError, NotFound, StateNotSerializable: it cannot be part of this store.
    """
    members = Members(document.data, f"the {document.kind}")
    _WRITERS[document.kind](members, uow, codec)
    members.finish()


def _write_checkpoint(members: Members, uow: UnitOfWork, codec: Codec) -> None:
    number = members.integer("number", least=1)
    written_in = members.integer("written_in")
    payload = Payload(
        **{
            name: codec.encode(take(name), name)
            for name, take in (
                ("state", members.mapping),
                ("patch", members.mapping),
                ("input", members.anything),
                ("output", members.anything),
            )
            if members.given(name)
        }
    )
    if payload.state is not None and payload.patch is not None:
        raise MisfitDocument("the checkpoint has a state and a patch")
    checkpoint = _checkpoint(members, codec)
    if checkpoint.epoch < written_in:
        raise MisfitDocument("epoch of the checkpoint is below written_in")
    base = replay_of(checkpoint, members.array("base"), codec) if members.given("base") else None
    last = uow.transfer.last_sequence(checkpoint.id.workflow_id)
    if checkpoint.id.sequence <= last:
        raise MisfitDocument(f"{checkpoint.id} does not come after sequence {last}")
    present, checkpoint.epoch = checkpoint.epoch, written_in
    uow.transfer.skip_to(number)
    if base is None:
        uow.checkpoints.add(checkpoint, payload)
    else:
        _require_cut(checkpoint, uow)
        uow.transfer.add_cut(checkpoint, payload, base)
    if present != written_in:
        checkpoint.epoch = present
        uow.checkpoints.update(checkpoint)


def _require_cut(checkpoint: Checkpoint, uow: UnitOfWork) -> None:
    """Equal stores have equal documents: who has its parent needs nothing to stand on."""
    parent = checkpoint.parent_id
    if parent is None:
        raise MisfitDocument("the checkpoint has a base and no parent")
    with suppress(NotFound):
        uow.checkpoints.get(parent)
        raise MisfitDocument(f"the checkpoint has a base, and its parent {parent} is there")


def _checkpoint(members: Members, codec: Codec) -> Checkpoint:
    checkpoint = Checkpoint(
        id=members.checkpoint("id"),
        type=members.one_of("type", CheckpointType),
        status=members.one_of("status", CheckpointStatus),
        name=members.optional("name", members.text),
        kind=members.optional("kind", members.text),
        created_at=members.time("created_at"),
        updated_at=members.time("updated_at"),
        parent_id=members.optional("parent_id", members.checkpoint),
        depends_on=members.checkpoints("depends_on"),
        resume_handler=members.optional("resume_handler", members.text),
        retry_count=members.integer("retry_count"),
        max_retries=members.integer("max_retries"),
        epoch=members.integer("epoch"),
        error=members.optional("error", members.error),
        reason=members.optional("reason", members.text),
        due_at=members.optional("due_at", members.time),
        schema_version=members.integer("schema_version", least=1),
        metadata=_small(members, "metadata", codec),
    )
    parent = checkpoint.parent_id
    if parent is not None and parent.sequence >= checkpoint.id.sequence:
        raise MisfitDocument(f"{checkpoint.id} does not come after its parent {parent}")
    return checkpoint


def _write_event(members: Members, uow: UnitOfWork, codec: Codec) -> None:
    number = members.integer("number", least=1)
    event = DomainEvent(
        kind=members.one_of("kind", EventKind),
        workflow_id=_name(members, "workflow_id"),
        at=members.time("at"),
        checkpoint_id=members.optional("checkpoint_id", members.checkpoint),
        epoch=members.integer("epoch"),
        correlation_id=members.optional("correlation_id", members.text),
        detail=_small(members, "detail", codec),
    )
    if event.kind is EventKind.CREATED:
        raise MisfitDocument("a checkpoint is its own created event")
    uow.transfer.skip_to(number)
    uow.events.append(event)


def _write_workflow(members: Members, uow: UnitOfWork, codec: Codec) -> None:
    del codec
    workflow_id = _name(members, "workflow_id")
    wanted = members.optional("opening", members.checkpoint)
    uow.transfer.raise_sequence(workflow_id, members.integer("last_sequence"))
    days = members.optional("retention_days", members.days)
    count = members.optional("retention_count", members.integer)
    if days is not None or count is not None:
        uow.retention.set_policy(workflow_id, OwnRetention(days, count))
    gone = [_gone(each) for each in members.array("purged")]
    if gone:
        if joined(gone) != gone:
            raise MisfitDocument("purged of the workflow is not in order, or not in one piece")
        uow.transfer.remember_purges(workflow_id, gone)
    standing = uow.checkpoints.standing(workflow_id)
    found = standing.opening if standing else None
    if wanted is None and found is not None:
        uow.checkpoints.forget_opening(workflow_id)
    elif wanted != found:
        raise MisfitDocument(f"the opening of the workflow is {found}, not {wanted}")


def _gone(value: JsonValue) -> Gone:
    if type(value) is not list or len(value) != 3:
        raise MisfitDocument("purged of the workflow holds no first and last sequence and time")
    range_ = Members(dict(zip(("first", "last", "at"), value, strict=True)), "what was purged")
    first, last = range_.integer("first", least=1), range_.integer("last", least=1)
    if last < first:
        raise MisfitDocument(f"purged of the workflow goes from {first} to {last}")
    return Gone(first, last, range_.time("at"))


def _write_lease(members: Members, uow: UnitOfWork, codec: Codec) -> None:
    del codec
    renewed = members.inside("renewed")
    lease = Lease(
        resource=_name(members, "resource"),
        epoch=members.integer("epoch"),
        token=members.optional("token", members.text),
        owner=members.owner("owner"),
        duration=members.seconds("duration"),
        taken_at=members.time("taken_at"),
        renewed=Moment(
            renewed.time("wall"),
            renewed.optional("boot_id", renewed.text),
            renewed.integer("uptime_ns"),
        ),
        stop_asked_at=members.optional("stop_asked_at", members.time),
    )
    renewed.finish()
    uow.leases.put(lease)


def _write_attempt(members: Members, uow: UnitOfWork, codec: Codec) -> None:
    del codec
    attempt = Attempt(
        workflow_id=_name(members, "workflow_id"),
        number=members.integer("number", least=1),
        epoch=members.integer("epoch"),
        handler=members.optional("handler", members.text),
        owner=members.owner("owner"),
        correlation_id=members.text("correlation_id"),
        begun_at=members.time("begun_at"),
        begun_after=members.integer("begun_after"),
        target=members.optional("target", members.checkpoint),
        ended_at=members.optional("ended_at", members.time),
        outcome=members.optional("outcome", lambda name: members.one_of(name, Outcome)),
        error=members.optional("error", members.error),
        output_tail=members.optional("output_tail", members.text),
    )
    uow.attempts.put(attempt)


def _name(members: Members, name: str) -> str:
    """Take the name of a workflow; raises `InvalidId` for what cannot be one."""
    return Scope(members.text(name)).workflow_id


def _small(members: Members, name: str, codec: Codec) -> JsonObject:
    value = members.mapping(name)
    if codec.encode(value, name)[:1] == b" ":  # the codec's sign of integers beyond 64 bits
        raise MisfitDocument(f"{name} holds an integer of more than 64 bits")
    return value


_WRITERS = {
    Kind.CHECKPOINT: _write_checkpoint,
    Kind.EVENT: _write_event,
    Kind.WORKFLOW: _write_workflow,
    Kind.LEASE: _write_lease,
    Kind.ATTEMPT: _write_attempt,
}
