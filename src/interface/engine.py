"""An engine for synchronous programs."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from .engine_care import Caring
from .engine_looking import Looking
from .engine_recovery import Recovery
from .engine_retention import Retaining
from .engine_steering import Steering
from .engine_transfer import Transferring
from .engine_writing import Writing
from .registry import Registry


class Engine(Writing, Recovery, Steering, Retaining, Transferring, Looking, Caring):
    """Checkpoints and recovery on one store. May be used from many threads.

    Made by `holdfast.open`; a context manager. A string for an id is its text form (``"wf"``,
    ``"wf/stage@3"``, percent-encoded); raw names go by keyword, as ``workflow_id=``.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     saved = engine.checkpoint("nightly", state={"done": 3})
    ...     print(saved.id, engine.context("nightly").workflow_state)
    nightly@1 {'done': 3}
    """

    @property
    def target(self) -> str:
        """What was opened, as text that opens it again."""
        return self._kernel.store.target

    @property
    def registry(self) -> Registry:
        """The handlers that can run here."""
        return self._kernel.registry

    def close(self) -> None:
        """Give up the leases of runs that are still open, wait for what was accepted, let go."""
        for schedule in self._schedules:
            schedule.stop()
        for session in self._kernel.keepers.sessions():
            from ..application.runs.attempt import give_up

            self._driver.run(give_up(self._kernel.attempts, session))
        self._kernel.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
