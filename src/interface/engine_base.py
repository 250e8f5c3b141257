"""What every part of an engine stands on."""

from __future__ import annotations

from ..domain.json_value import JsonObject
from ..domain.lease import Credentials
from ..domain.scope import Scope
from .drivers.sync_driver import SyncDriver
from .kernel import Kernel


class EngineBase:
    """What every part of an engine stands on."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._driver = SyncDriver(kernel)

    def _credentials(self, workflow_id: str) -> Credentials | None:
        """Return those of a run of this engine, if one is carrying the workflow on."""
        session = self._kernel.keeper.session_of(workflow_id)
        return session.credentials if session is not None else None

    def _note_state(self, scope: Scope, state: JsonObject | None, patch: JsonObject | None) -> None:
        session = self._kernel.keeper.session_of(scope.workflow_id)
        if session is not None:
            session.touch()
            session.note_state(scope, state, patch)
