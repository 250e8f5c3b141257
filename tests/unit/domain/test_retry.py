"""Back-off and the count of retries."""

from __future__ import annotations

import pytest
from holdfast.domain.retry import Reckoning, delay, reckon


@pytest.mark.parametrize(
    ("attempt", "longest"),
    [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (8, 60.0), (1100, 60.0), (10**9, 60.0)],
)
def test_delay_when_attempts_go_on_then_its_bound_doubles_up_to_the_cap(
    attempt: int, longest: float
) -> None:
    assert delay(attempt, jitter=0.0) == 0.0
    assert delay(attempt, jitter=0.25) == longest / 4
    assert delay(attempt, jitter=1 - 2**-53) < longest


@pytest.mark.parametrize(
    ("base", "cap", "bound"), [(0.5, 60.0, 2.0), (10.0, 15.0, 15.0), (5.0, 1.0, 1.0), (0.0, 9.0, 0)]
)
def test_delay_when_base_and_cap_are_given_then_they_bound_it(
    base: float, cap: float, bound: float
) -> None:
    assert delay(3, base=base, cap=cap, jitter=0.5) == bound / 2


@pytest.mark.parametrize(
    ("retry_count", "max_retries", "progressed", "reckoning"),
    [
        (0, 3, False, Reckoning(1, exhausted=False)),
        (2, 3, False, Reckoning(3, exhausted=False)),
        (3, 3, False, Reckoning(4, exhausted=True)),
        (3, 3, True, Reckoning(1, exhausted=False)),
        (9, 3, True, Reckoning(1, exhausted=False)),
        (0, 0, False, Reckoning(1, exhausted=True)),
        (0, 0, True, Reckoning(1, exhausted=False)),
        (1, 0, False, Reckoning(2, exhausted=True)),
    ],
)
def test_reckon_when_an_execution_ended_badly_then_progress_alone_resets_the_count(
    retry_count: int, max_retries: int, progressed: bool, reckoning: Reckoning
) -> None:
    assert reckon(retry_count, max_retries, progressed=progressed) == reckoning


@pytest.mark.parametrize(
    ("attempts", "max_attempts", "exhausted"),
    [(4, 5, False), (5, 5, True), (6, 5, True), (1, 1, True), (10**6, None, False)],
)
def test_reckon_when_all_attempts_are_bounded_then_progress_does_not_help(
    attempts: int, max_attempts: int | None, exhausted: bool
) -> None:
    reckoning = reckon(0, 3, progressed=True, attempts=attempts, max_attempts=max_attempts)

    assert reckoning == Reckoning(1, exhausted=exhausted)


@pytest.mark.parametrize("max_retries", [0, 1, 3, 10])
def test_reckon_when_nothing_ever_progresses_then_max_retries_and_one_executions_take_place(
    max_retries: int,
) -> None:
    executions = 1
    reckoning = reckon(0, max_retries, progressed=False)
    while not reckoning.exhausted:
        executions += 1
        reckoning = reckon(reckoning.retry_count, max_retries, progressed=False)

    assert executions == max_retries + 1
