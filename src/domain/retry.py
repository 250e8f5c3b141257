"""How often, and how soon, something that failed is tried again. Pure: the draw is handed in."""

from __future__ import annotations

from dataclasses import dataclass


def delay(attempt: int, *, base: float = 1.0, cap: float = 60.0, jitter: float) -> float:
    """Return how long to wait before retry *attempt*, in seconds: exponential, full jitter.

    Args:
        attempt: 1 for the first retry.
        base: the upper bound for the first retry, in seconds.
        cap: the upper bound for any retry, in seconds.
        jitter: a draw from [0, 1), made by the caller so that this stays pure.

    >>> [delay(n, jitter=0.5) for n in (1, 2, 3, 10)]
    [0.5, 1.0, 2.0, 30.0]

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    # 2.0 ** 1024 overflows; the cap is reached long before that.
    return min(cap, base * 2.0 ** min(attempt - 1, 60)) * jitter


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What one more failed execution means.

    Attributes:
        retry_count: executions without progress that are to be counted as retries.
        exhausted: whether no further execution is allowed.
    """

    retry_count: int
    exhausted: bool


def reckon(
    retry_count: int,
    max_retries: int,
    *,
    progressed: bool,
    attempts: int = 0,
    max_attempts: int | None = None,
) -> Reckoning:
    """Return the count after an execution that ended badly.

    Progress since the execution began resets the count; the next execution is then the first
    retry. Without progress at most ``max_retries + 1`` executions take place.

    Args:
        attempts: executions so far, with progress or without.
        max_attempts: bounds them all; ``None`` for no bound.

    >>> reckon(3, 3, progressed=False)
    Reckoning(retry_count=4, exhausted=True)
    >>> reckon(3, 3, progressed=True)
    Reckoning(retry_count=1, exhausted=False)
    """
    count = 1 if progressed else retry_count + 1
    out_of_retries = not progressed and count > max_retries
    out_of_attempts = max_attempts is not None and attempts >= max_attempts
    return Reckoning(count, out_of_retries or out_of_attempts)
