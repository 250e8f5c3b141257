"""A circuit breaker: what keeps failing is left alone for a while.

Nothing here knows of checkpoints: whatever can succeed or fail can have one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a circuit opens, and when it closes again.

    Attributes:
        failures: so many within ``window`` seconds open it.
        cool_off: seconds after which one try is let through.
        successes: so many tries in a row that succeed close it.
    """

    failures: int = 3
    window: float = 60.0
    cool_off: float = 60.0
    successes: int = 2


class Circuit(StrEnum):
    """The states of a circuit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(slots=True)
class CircuitBreaker:
    """Counts failures and successes; times are seconds on a clock that does not jump.

    >>> breaker = CircuitBreaker(BreakerPolicy(failures=2))
    >>> breaker.failed(0.0), breaker.failed(1.0)
    (False, True)
    >>> breaker.allows(2.0), breaker.allows(61.0)
    (False, True)

    Source: Nygard, "Release It!", 2007, chapter 5.
    """

    policy: BreakerPolicy = BreakerPolicy()
    state: Circuit = Circuit.CLOSED
    _failures: list[float] = field(default_factory=list)
    _opened_at: float = 0.0
    _successes: int = 0
    _is_trying: bool = False

    def allows(self, now: float) -> bool:
        """Whether a try may be made now; while the circuit is half open, one at a time.

        Whoever is allowed to try says how it went: `succeeded`, `failed` or `came_to_nothing`.
        """
        if self.state is Circuit.OPEN and now - self._opened_at >= self.policy.cool_off:
            self.state, self._successes, self._is_trying = Circuit.HALF_OPEN, 0, False
        if self.state is Circuit.CLOSED:
            return True
        if self.state is Circuit.OPEN or self._is_trying:
            return False
        self._is_trying = True
        return True

    def is_blocking(self, now: float) -> bool:
        """Whether `allows` would say no; changes nothing."""
        if self.state is Circuit.OPEN:
            return now - self._opened_at < self.policy.cool_off
        return self.state is Circuit.HALF_OPEN and self._is_trying

    def failed(self, now: float) -> bool:
        """Note a failure; return whether it opened the circuit."""
        self._is_trying = False
        if self.state is Circuit.OPEN:
            return False
        self._failures = [at for at in self._failures if now - at < self.policy.window] + [now]
        if self.state is Circuit.CLOSED and len(self._failures) < self.policy.failures:
            return False
        self.state, self._opened_at, self._failures = Circuit.OPEN, now, []
        return True

    def succeeded(self) -> bool:
        """Note a success; return whether it closed the circuit."""
        self._is_trying = False
        if self.state is not Circuit.HALF_OPEN:
            return False
        self._successes += 1
        if self._successes < self.policy.successes:
            return False
        self.state, self._failures = Circuit.CLOSED, []
        return True

    def came_to_nothing(self) -> None:
        """Note a try that says nothing about what is tried: somebody else had it, say."""
        self._is_trying = False
