"""Circuit breakers: what keeps failing is left alone for a while."""

from __future__ import annotations

from holdfast.domain.circuit_breaker import BreakerPolicy, Circuit, CircuitBreaker


def opened(at: float = 0.0) -> CircuitBreaker:
    breaker = CircuitBreaker()
    for _ in range(3):
        breaker.failed(at)
    return breaker


def test_breaker_when_failures_are_spread_out_then_it_stays_closed() -> None:
    breaker = CircuitBreaker()

    assert [breaker.failed(at) for at in (0.0, 30.0, 61.0, 95.0)] == [False] * 4
    assert breaker.failed(96.0) is True


def test_breaker_when_open_then_nothing_is_tried_until_it_has_cooled_off() -> None:
    breaker = opened(at=10.0)

    assert [breaker.allows(at) for at in (10.0, 69.9)] == [False, False]
    assert breaker.is_blocking(69.9)
    assert not breaker.is_blocking(70.0)
    assert breaker.state is Circuit.OPEN


def test_breaker_when_half_open_then_one_try_at_a_time_and_two_successes_close_it() -> None:
    breaker = opened()

    assert [breaker.allows(60.0), breaker.allows(60.0)] == [True, False]
    assert breaker.is_blocking(60.0)
    assert breaker.succeeded() is False
    assert breaker.allows(61.0)
    assert breaker.succeeded() is True
    assert breaker.state is Circuit.CLOSED
    assert [breaker.allows(61.0), breaker.allows(61.0)] == [True, True]


def test_breaker_when_a_try_fails_then_it_is_open_again_for_as_long() -> None:
    breaker = opened()
    breaker.allows(60.0)

    assert breaker.failed(61.0) is True
    assert [breaker.allows(120.0), breaker.allows(121.0)] == [False, True]


def test_breaker_when_a_try_says_nothing_then_another_may_be_made() -> None:
    breaker = opened()
    breaker.allows(60.0)
    breaker.came_to_nothing()

    assert breaker.allows(60.0)
    assert breaker.state is Circuit.HALF_OPEN


def test_breaker_when_a_late_failure_comes_while_open_then_the_pause_is_not_longer() -> None:
    breaker = CircuitBreaker(BreakerPolicy(failures=1, cool_off=10.0))

    assert [breaker.failed(0.0), breaker.failed(9.0)] == [True, False]
    assert breaker.allows(10.0)
