"""Where leases are kept."""

from __future__ import annotations

from typing import Protocol

from ..lease import Lease


class LeaseStore(Protocol):
    """Keeps the last lease of each resource; part of a unit of work.

    A resource is any text, also one that no workflow can be called.
    """

    def get(self, resource: str) -> Lease | None:
        """Return the last lease of *resource*, over or not; ``None`` when it never had one."""

    def put(self, lease: Lease) -> None:
        """Keep *lease* as the last one of its resource.

        Raises:
            ValueError: its epoch is lower than that of the one kept; epochs only grow.
        """
