"""Percentiles of durations."""

from __future__ import annotations

import pytest
from holdfast.interface.bench.samples import Samples, joined


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 50.0), (90, 90.0), (99, 99.0), (100, 100.0)]
)
def test_percentile_when_there_are_a_hundred_then_it_is_the_one_of_that_rank(
    percent: float, expected: float
) -> None:
    samples = Samples([float(number) for number in range(100, 0, -1)])

    assert samples.percentile(percent) == expected


@pytest.mark.parametrize(("percent", "expected"), [(50, 2.0), (90, 3.0), (99, 3.0)])
def test_percentile_when_there_are_few_then_it_is_one_that_was_measured(
    percent: float, expected: float
) -> None:
    assert Samples([3.0, 1.0, 2.0]).percentile(percent) == expected


def test_json_when_made_then_it_keeps_the_order_and_names_the_ends() -> None:
    found = Samples([0.3, 0.1, 0.2]).to_dict()

    assert found == {
        "count": 3,
        "p50": 0.2,
        "p90": 0.3,
        "p99": 0.3,
        "least": 0.1,
        "longest": 0.3,
        "seconds": [0.3, 0.1, 0.2],
    }


def test_samples_when_joined_then_none_is_lost() -> None:
    assert joined([Samples([1.0]), Samples([]), Samples([3.0, 2.0])]).seconds == [1.0, 3.0, 2.0]
