"""Records that repeat, or bound, what other rows say: made anew from those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...domain.lease import Lease, Owner
from ...domain.moment import Moment
from ...domain.name_part import check_part
from . import care_statements as care
from . import statements as sql
from .rows import CheckpointRow, link_of, seal_of
from .transaction import Transaction, WorkflowRow

if TYPE_CHECKING:
    from .unit_of_work import SqliteUnitOfWork

# What is damage may be any number; nothing that was counted is as high.
_HIGHEST = 1 << 53


def put_workflow(transaction: Transaction, number: int, found: Mapping[str, Any]) -> bool:
    """Write a workflow's record anew; return whether its name could be told.

    The name is proved by the link of a checkpoint, and may be found so among those that other
    tables know; without a checkpoint what the record claims is believed.
    """
    name = _name(transaction, number, found["workflow_id"])
    if name is None:
        return False
    execute = transaction.connection.execute
    highest, branched, before = 0, 0, None
    opening: CheckpointRow | None = None
    for values in execute(care.SELECT_WHOLE_HISTORY, (number,)):
        row = CheckpointRow._make(values[:-1])
        if seal_of(row[:-1]) != row.seal:
            continue
        branched |= before is not None and row.parent != before
        highest, before = row.sequence, row.sequence
        # Some cannot be in the chain any more: then they were killed.
        if row.type == "workflow_start":
            opening = row
    floor = found["sequence_floor"]
    record = WorkflowRow(
        number,
        name,
        max(highest, floor if isinstance(floor, int) and 0 <= floor < _HIGHEST else 0),
        int(branched),
        opening.sequence if opening else None,
        opening.status if opening else None,
        opening.resume_handler if opening else None,
    )
    if execute(care.NAME_WORKFLOW, (name, number)).rowcount == 0:
        execute(sql.INSERT_WORKFLOW, (number, name, 0, 0, None, None, None, b""))
    transaction.save_workflow(record)
    return True


def put_lease(uow: SqliteUnitOfWork, resource: str, epoch: object, at: datetime) -> None:
    """Write a lease that was given up, under an epoch above every one that was seen."""
    execute = uow.transaction.connection.execute
    seen = [epoch if isinstance(epoch, int) and 0 <= epoch < _HIGHEST else 0]
    for (highest,) in execute(care.SELECT_HIGHEST_EPOCHS, {"name": resource}):
        seen.append(highest if isinstance(highest, int) and highest < _HIGHEST else 0)
    uow.transaction.memory.leases.pop(resource, None)
    owner = Owner("unknown", None, None, 0, None)
    moment = Moment(at, None, 0)
    uow.leases.put(Lease(resource, max(seen) + 1, None, owner, 60.0, at, moment))


def _name(transaction: Transaction, number: int, claimed: object) -> str | None:
    proof = _proof(transaction, number)
    if proof is None:
        return claimed if isinstance(claimed, str) and _is_name(claimed) else None
    link, row = proof
    for name in (claimed, *_candidates(transaction)):
        if isinstance(name, str) and _is_name(name) and link_of(link, name, row) == row.link:
            return name
    return None


def _proof(transaction: Transaction, number: int) -> tuple[bytes, CheckpointRow] | None:
    """Return a parent's link and a row that was linked to it by the workflow's name."""
    links: dict[int, bytes] = {}
    for values in transaction.connection.execute(care.SELECT_WHOLE_HISTORY, (number,)):
        row = CheckpointRow._make(values[:-1])
        if seal_of(row[:-1]) != row.seal:
            continue
        if row.parent is None or row.parent in links:
            return links[row.parent] if row.parent is not None else b"", row
        links = {row.sequence: row.link}
    return None


def _candidates(transaction: Transaction) -> Iterator[object]:
    """Iterate over the names that other tables know, and no workflow has."""
    for text in (care.SELECT_NAMELESS_LEASES, care.SELECT_NAMES_IN_EVENTS):
        for (name,) in transaction.connection.execute(text):
            yield name


def _is_name(name: str) -> bool:
    try:
        check_part("workflow_id", name)
    except ValueError:
        return False
    return True
