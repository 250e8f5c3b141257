"""Attempts that ended while the store was ill, which could not be written down."""

from __future__ import annotations

import threading

from ..commands.abandon_attempt import AbandonAttempt


class Debts:
    """What is to be written once the store is well again; may be used from any thread.

    Until then the lease of such an attempt holds, and nobody has it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owed: list[AbandonAttempt] = []

    def owe(self, debt: AbandonAttempt) -> None:
        """Note that this is to be written."""
        with self._lock:
            self._owed.append(debt)

    def owed(self, workflow_id: str | None = None) -> list[AbandonAttempt]:
        """Return what is to be written, of one workflow or of all."""
        with self._lock:
            return [each for each in self._owed if workflow_id in (None, each.workflow_id)]

    def settle(self, debt: AbandonAttempt) -> None:
        """Note that it was written."""
        with self._lock:
            if debt in self._owed:
                self._owed.remove(debt)
