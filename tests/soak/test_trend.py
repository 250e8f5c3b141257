"""The trend that the soak asserts: leaks are found, and what comes and goes is none."""

from __future__ import annotations

from random import Random

import pytest

from .trend import growth


def _series(slope: float, peaks: float = 0.0) -> list[tuple[float, float]]:
    draw = Random(1)
    return [(float(at), 100 + slope * at + peaks * draw.random()) for at in range(400)]


def test_growth_when_something_leaks_then_it_is_by_how_much_the_second_half_grew() -> None:
    assert growth(_series(0.5)) == pytest.approx(100, rel=0.1)
    assert growth(_series(0.5, peaks=40)) == pytest.approx(100, rel=0.2)


def test_growth_when_it_only_comes_and_goes_then_about_none() -> None:
    assert abs(growth(_series(0, peaks=40))) < 2


def test_growth_when_it_warms_up_in_the_first_half_then_none() -> None:
    warm = [(float(at), float(min(at, 150))) for at in range(400)]

    assert growth(warm) == 0


def test_growth_when_there_is_next_to_nothing_then_none() -> None:
    assert growth([]) == growth([(0.0, 1.0)]) == 0
