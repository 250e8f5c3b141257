"""Whether what a writer remembers of a workflow is still so, after others have committed.

One look tells: the digests of what is stored are held against those of what is remembered. To read
all of it again, row by row, takes three times as long, and processes that write in turn would do
so at every save.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import statements as sql
from .rows import lease_columns, seal_of

if TYPE_CHECKING:
    from .transaction import Transaction


def recollect(transaction: Transaction, workflow_id: str) -> bool:
    """Whether what was remembered of a workflow still holds; it is remembered again then.

    Its lease is held against the file by itself. What does not hold is to be read.
    """
    memory = transaction.memory
    unsure = memory.unsure
    workflow = unsure.workflows.pop(workflow_id, None)
    parent = unsure.parents.get(workflow.id) if workflow is not None else None
    if workflow is None or parent is None:
        return False
    subject = f"what is known of {workflow_id}"
    found = transaction.one(sql.SELECT_RECOLLECTION, (workflow_id,), subject)
    if found is None or found[1:-1] != (workflow.seal, parent.id.sequence, *parent[1:]):
        return False
    memory.workflows[workflow_id] = workflow
    memory.parents[workflow.id] = parent
    if workflow_id in unsure.leases:
        lease = unsure.leases[workflow_id]
        if found[0] == (seal_of(lease_columns(lease)) if lease is not None else None):
            memory.leases[workflow_id] = lease
    if memory.next_number is None:
        memory.next_number = found[-1]
    return True
