"""What every part of an engine stands on."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from ..application.dispatcher import Handler
from ..domain.lease import Credentials
from ..domain.payload import Payload
from ..domain.scope import Scope
from .kernel import Kernel

if TYPE_CHECKING:
    from ..application.runs.session import Session
    from .drivers.sync_driver import SyncDriver
    from .purge_schedule import PurgeSchedule

C = TypeVar("C")
T = TypeVar("T")


class EngineBase:
    """What every part of an engine stands on."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._schedules: list[PurgeSchedule] = []

    @cached_property
    def _driver(self) -> SyncDriver:
        """What performs flows; loaded when the first is performed, since looking has none."""
        from .drivers.sync_driver import SyncDriver

        return SyncDriver(self._kernel)

    def _credentials(self, workflow_id: str) -> Credentials | None:
        """Return those of a run of this engine, or of the run that this process is a child of."""
        session = self._kernel.keeper.session_of(workflow_id)
        return session.credentials if session else self._kernel.inherited(workflow_id)

    def _write(self, handler: Handler[C, T], command: C, workflow_id: str) -> T:
        """Run a command that was given this engine's credentials: a sign of life of its run."""
        written = self._kernel.dispatcher.execute(handler, command)
        self._touch(workflow_id)
        return written

    def _touch(self, workflow_id: str) -> None:
        session = self._kernel.keeper.session_of(workflow_id)
        if session is not None:
            session.touch()
        else:
            self._give_sign(workflow_id)

    def _give_sign(self, workflow_id: str) -> None:
        """Show that a run is alive whose child this process is."""
        if self._kernel.signs is not None and self._kernel.inherited(workflow_id):
            self._kernel.signs.give()

    def _note_state(self, session: Session, scope: Scope, payload: Payload) -> None:
        """Let a run of this engine know that its state was changed beside it."""
        if payload.changes_state:
            decode = self._kernel.codec.decode
            session.note_state(
                scope,
                decode(payload.state) if payload.state is not None else None,
                decode(payload.patch) if payload.patch is not None else None,
            )
