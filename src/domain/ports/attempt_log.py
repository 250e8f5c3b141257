"""Where attempts are kept."""

from __future__ import annotations

from typing import Protocol

from ..attempt import Attempt


class AttemptLog(Protocol):
    """Keeps the attempts of each workflow; part of a unit of work."""

    def put(self, attempt: Attempt) -> None:
        """Keep *attempt*, in place of the one with its workflow and number, if there is one."""

    def last(self, workflow_id: str) -> Attempt | None:
        """Return the workflow's newest attempt, if it had one."""

    def all(self, workflow_id: str) -> list[Attempt]:
        """Return the workflow's attempts, the oldest first."""
