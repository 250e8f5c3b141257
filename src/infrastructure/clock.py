"""Clocks: the system's, and one that tests turn by hand."""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..domain.moment import Moment, from_microseconds

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """The clocks of this host.

    On Linux uptime counts suspended time too. Elsewhere there is no boot id, and leases are
    measured by the wall between processes.
    """

    def __init__(self) -> None:
        self._boot_id = read_boot_id()
        self._uptime = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def moment(self) -> Moment:
        """Return the present."""
        wall = from_microseconds(time.time_ns() // 1000)
        return Moment(wall, self._boot_id, time.clock_gettime_ns(self._uptime))

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Return whether *event* was set within *seconds*."""
        return event.wait(seconds)


class ManualClock:
    """A clock that stands still until it is turned. May be used from any thread.

    >>> clock = ManualClock()
    >>> clock.advance(timedelta(minutes=1))
    >>> clock.advance(30)
    >>> clock.moment().wall.isoformat()
    '2026-01-01T00:01:30+00:00'
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._wall = start
        self._uptime_ns = 1_000_000_000
        self._boot_id = "boot-1"
        self._turned = threading.Condition()

    def moment(self) -> Moment:
        """Return the present."""
        with self._turned:
            return Moment(self._wall, self._boot_id, self._uptime_ns)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Return whether *event* was set before the clock was turned by *seconds*."""
        with self._turned:
            end = self._uptime_ns + int(seconds * 1e9)
            while not event.is_set() and self._uptime_ns < end:
                # Whoever sets the event does not notify: look again every now and then.
                self._turned.wait(0.01)
        return event.is_set()

    def advance(self, by: timedelta | float) -> None:
        """Let time pass, on both clocks; a number is of seconds."""
        passed = by if isinstance(by, timedelta) else timedelta(seconds=by)
        seconds = passed.total_seconds() if isinstance(by, timedelta) else by
        with self._turned:
            self._wall += passed
            self._uptime_ns += int(seconds * 1e9)
            self._turned.notify_all()

    def set_wall(self, wall: datetime) -> None:
        """Set the clock on the wall, as an administrator does; no time passes."""
        with self._turned:
            self._wall = wall

    def reboot(self) -> None:
        """Begin another boot: another boot id, and an uptime that starts again."""
        with self._turned:
            self._boot_id = f"boot-{int(self._boot_id.removeprefix('boot-')) + 1}"
            self._uptime_ns = 1_000_000_000
            self._turned.notify_all()


def read_boot_id() -> str | None:
    """Return what names this boot of this host; ``None`` where the system does not tell."""
    try:
        if sys.platform == "darwin":
            return _session_of_mac()
        return _BOOT_ID.read_text(encoding="ascii").strip() or None
    except OSError:
        return None


def _session_of_mac() -> str | None:
    import subprocess  # late: no other system needs it

    command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except subprocess.SubprocessError:
        return None
