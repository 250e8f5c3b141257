"""The right to write, held by one owner at a time and numbered by an epoch.

Nothing here knows of checkpoints: a resource is whatever has one name and one writer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from .moment import Moment

DEFAULT_DURATION = 60.0
DEFAULT_SILENCE = 1800.0


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told apart from every other one, also from later ones with its number.

    Attributes:
        host: the host's name, for people.
        boot_id: names one boot of one host; ``None`` where the system does not tell.
        pid_namespace: within which ``pid`` is unique; ``None`` where the system does not tell.
        started: when the process started, in the system's own units; ``None`` if unknown.
    """

    host: str
    boot_id: str | None
    pid_namespace: str | None
    pid: int
    started: int | None

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a write under a lease carries: it is refused unless both match exactly."""

    epoch: int
    token: str = field(repr=False)


class Standing(StrEnum):
    """How a lease stands at a moment."""

    HELD = "held"
    RAN_OUT = "ran out"
    GIVEN_UP = "given up"
    OWNER_GONE = "owner gone"


@dataclass(frozen=True, slots=True)
class Lease:
    """The last lease of a resource, whether it still holds or not.

    Attributes:
        epoch: raised by one with each taking, never lowered.
        token: random, made anew with each taking; ``None`` once it was given up or ended.
        duration: seconds for which each renewal is good.
        taken_at: wall-clock time of the taking.
        renewed: when it was taken or last renewed.
        stop_asked_at: when its owner was asked to stop; ``None`` where nobody asked.
    """

    resource: str
    epoch: int
    token: str | None = field(repr=False)
    owner: Owner
    duration: float
    taken_at: datetime
    renewed: Moment
    stop_asked_at: datetime | None = None

    def standing(self, now: Moment, *, owner_gone: bool = False) -> Standing:
        """Return how the lease stands.

        Measured on the clock that does not jump, within one boot; by the wall where the owner's
        boot is not ours.

        Args:
            owner_gone: whether the owner is provably gone (a host that was started again has no
                owner left of its old boot); what cannot be read means alive.
        """
        if self.token is None:
            return Standing.GIVEN_UP
        if owner_gone:
            return Standing.OWNER_GONE
        return Standing.HELD if self._is_current(now) else Standing.RAN_OUT

    def proves(self, credentials: Credentials) -> bool:
        """Whether *credentials* are exactly those of this lease."""
        return self.token is not None and credentials == Credentials(self.epoch, self.token)

    def renew(self, now: Moment) -> Lease:
        """Return the lease, good from *now* on."""
        return replace(self, renewed=now)

    def ask_to_stop(self, at: datetime) -> Lease:
        """Return the lease with its owner asked to stop; the first time counts."""
        return replace(self, stop_asked_at=self.stop_asked_at or at)

    def end(self) -> Lease:
        """Return the lease given up: its epoch stays taken, its token is worth nothing."""
        return replace(self, token=None)

    @property
    def credentials(self) -> Credentials:
        """What its owner shows with each write."""
        if self.token is None:
            raise ValueError(f"the lease of {self.resource} was given up")
        return Credentials(self.epoch, self.token)

    @property
    def expires_at(self) -> datetime:
        """When it runs out by the wall clock, for people: leases are measured on the other."""
        return self.renewed.wall + timedelta(seconds=self.duration)

    def _is_current(self, now: Moment) -> bool:
        if self.renewed.boot_id is not None and self.renewed.boot_id == now.boot_id:
            return now.uptime_ns < self.renewed.uptime_ns + int(self.duration * 1e9)
        return now.wall < self.expires_at
