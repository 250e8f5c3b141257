"""When something is to be done again and again: every so often, or by a cron expression."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Protocol

from ...domain.errors import InvalidRequest


class Schedule(Protocol):
    """Tells when something is due next."""

    def after(self, at: datetime) -> datetime | None:
        """Return the first time after *at*; ``None`` when there is none. Aware, UTC."""


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many seconds."""

    seconds: float

    def __post_init__(self) -> None:
        if not 0 < self.seconds < inf:
            raise InvalidRequest(f"every {self.seconds} s is no interval; give more than 0")

    def after(self, at: datetime) -> datetime:
        """Return the time so many seconds after *at*."""
        return at + timedelta(seconds=self.seconds)


class Cron:
    """By a cron expression of five fields, in the time zone of this host.

    >>> from datetime import UTC
    >>> Cron("30 3 * * *", zone=UTC).after(datetime(2026, 1, 1, 12, tzinfo=UTC)).isoformat()
    '2026-01-02T03:30:00+00:00'
    """

    def __init__(self, expression: str, *, zone: object = None) -> None:
        # Late: whoever has no such schedule does not pay for the library.
        from apscheduler.triggers.cron import CronTrigger

        try:
            self._trigger = CronTrigger.from_crontab(expression, timezone=zone)
        except ValueError as error:
            raise InvalidRequest(
                f"{expression!r} is no cron expression ({error}); give five fields: minute, hour, "
                "day of month, month, day of week"
            ) from error

    def after(self, at: datetime) -> datetime | None:
        """Return the first time after *at* that the expression names."""
        found: datetime | None = self._trigger.get_next_fire_time(
            at, at + timedelta(microseconds=1)
        )
        return found
