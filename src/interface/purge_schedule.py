"""Purging every so often, in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from ..application.retention.purge import PurgeSlices
from ..application.retention.reports import PurgeReport
from ..domain.errors import PurgeUnderWay
from ..domain.ports import Clock


class PurgeSchedule:
    """Purges by the policy, now and then every so often, until stopped.

    Attributes:
        report: of the last purge that came to its end; ``None`` before.
        error: why the last one did not come to its end; ``None`` when it did. The next is tried all
            the same.

    >>> import holdfast
    >>> from datetime import timedelta
    >>> with holdfast.open("memory:") as engine:
    ...     schedule = engine.purge_every(timedelta(hours=1))
    ...     schedule.stop()
    """

    def __init__(
        self,
        purge: Callable[[], PurgeSlices],
        interval: timedelta,
        clock: Clock,
        pause: float,
        on_report: Callable[[PurgeReport], object] | None,
    ) -> None:
        self.report: PurgeReport | None = None
        self.error: Exception | None = None
        self._purge = purge
        self._interval = interval.total_seconds()
        self._clock = clock
        self._pause = pause
        self._on_report = on_report
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="holdfast-purge", daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, in the midst of a purge too; return when it has. Twice does no harm."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return not self._stop.is_set()

    def _run(self) -> None:
        while True:
            try:
                self._purge_once()
            except PurgeUnderWay:
                self.error = None  # somebody else does the work
            except Exception as error:  # noqa: BLE001 - a bad round must not end all that follow
                self.error = error
            if self._clock.wait(self._stop, self._interval):
                return

    def _purge_once(self) -> None:
        slices = self._purge()
        try:
            while not self._stop.is_set():
                next(slices)
                time.sleep(self._pause)
        except StopIteration as end:
            self.report, self.error = end.value, None
            if self._on_report is not None:
                self._on_report(end.value)
        finally:
            slices.close()
