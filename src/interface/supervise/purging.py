"""A supervisor's purges: beside its recoveries, one at a time."""

from __future__ import annotations

import threading
import time

from ...domain.errors import HoldfastError, PurgeUnderWay
from ..engine import Engine

_PAUSE = 0.003


class Purging:
    """Purges by the policy in a thread of its own, until it is done or *stop* is set."""

    def __init__(self, engine: Engine, stop: threading.Event) -> None:
        self._engine = engine
        self._stop = stop
        self._thread: threading.Thread | None = None
        self._trouble: HoldfastError | None = None

    def begin(self) -> None:
        """Begin a purge, unless one is under way here or elsewhere.

        Raises:
            HoldfastError: why the one before did not come to its end.
        """
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=self._purge, name="holdfast-supervised-purge", daemon=True
            )
            trouble, self._trouble = self._trouble, None
            self._thread.start()
            if trouble is not None:
                raise trouble

    def finish(self) -> None:
        """Wait until the purge that is under way is done, or has heeded *stop*."""
        if self._thread is not None:
            self._thread.join()

    def _purge(self) -> None:
        slices = self._engine._purge_slices()  # noqa: SLF001 - the engine's own supervisor
        try:
            for _ in slices:
                if self._stop.is_set():
                    return
                time.sleep(_PAUSE)
        except PurgeUnderWay:
            pass  # somebody else does the work
        except HoldfastError as trouble:
            self._trouble = trouble
        finally:
            slices.close()
