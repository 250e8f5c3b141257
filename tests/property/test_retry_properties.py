"""Back-off stays in its bounds, and retries are counted as the design says."""

from __future__ import annotations

import math

from holdfast.domain.retry import delay, reckon
from hypothesis import example, given, settings
from hypothesis import strategies as st

quick = settings(deadline=None, max_examples=200)

attempts = st.integers(1, 70) | st.integers(1, 10**12)
bases = st.floats(0.001, 3600)
caps = st.floats(0.001, 10**6)
draws = st.floats(0, 1, exclude_max=True)


@quick
@given(attempts, bases, caps, draws)
@example(10**12, 3600.0, 10.0**6, 1 - 2**-53)
def test_delay_when_given_anything_legal_then_it_lies_between_nothing_and_its_bound(
    attempt: int, base: float, cap: float, jitter: float
) -> None:
    bound = cap if attempt > 60 else min(cap, base * 2 ** (attempt - 1))

    wait = delay(attempt, base=base, cap=cap, jitter=jitter)

    assert 0 <= wait <= bound
    assert math.isclose(wait, bound * jitter, rel_tol=1e-12, abs_tol=0)


@quick
@given(attempts, attempts, bases, caps, draws)
def test_delay_when_it_is_a_later_attempt_then_its_bound_is_no_shorter(
    one: int, other: int, base: float, cap: float, jitter: float
) -> None:
    first, second = (
        delay(each, base=base, cap=cap, jitter=jitter) for each in sorted((one, other))
    )

    assert first <= second


@quick
@given(attempts, draws, draws)
def test_delay_when_the_draw_is_larger_then_so_is_the_wait(
    attempt: int, one: float, other: float
) -> None:
    first, second = (delay(attempt, jitter=each) for each in sorted((one, other)))

    assert first <= second


@quick
@given(
    st.lists(st.booleans(), max_size=20),
    st.integers(0, 5),
    st.none() | st.integers(1, 12),
)
def test_reckon_when_executions_end_badly_then_the_count_is_of_those_since_progress(
    progressed: list[bool], max_retries: int, max_attempts: int | None
) -> None:
    """A plain model: the executions so far, and where in them the last progress was."""
    count = 0
    for number, made_progress in enumerate(progressed, 1):
        reckoning = reckon(
            count,
            max_retries,
            progressed=made_progress,
            attempts=number,
            max_attempts=max_attempts,
        )
        so_far = progressed[:number]
        since_progress = so_far[::-1].index(True) + 1 if True in so_far else number
        fruitless = since_progress > max_retries and not made_progress

        assert reckoning.retry_count == since_progress
        assert reckoning.exhausted is (
            fruitless or (max_attempts is not None and number >= max_attempts)
        )
        count = reckoning.retry_count


@quick
@given(st.lists(st.booleans(), max_size=40), st.integers(0, 5))
def test_reckon_when_it_allows_another_execution_then_fewer_than_the_limit_were_fruitless(
    progressed: list[bool], max_retries: int
) -> None:
    count, fruitless = 0, 0
    for made_progress in progressed:
        reckoning = reckon(count, max_retries, progressed=made_progress)
        count = reckoning.retry_count
        fruitless = 0 if made_progress else fruitless + 1
        assert fruitless <= max_retries + 1
        assert not (made_progress and reckoning.exhausted)
        if reckoning.exhausted:
            break
