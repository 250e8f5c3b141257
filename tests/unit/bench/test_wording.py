"""Sizes and durations as people read them."""

from __future__ import annotations

import pytest
from holdfast.interface.bench.wording import size_text, time_text


@pytest.mark.parametrize(
    ("count", "expected"),
    [(999, "999 bytes"), (2_000, "2 KB"), (1_500_000, "1.5 MB"), (10_000_000, "10 MB")],
)
def test_size_when_written_then_in_the_unit_that_gives_it_few_digits(
    count: int, expected: str
) -> None:
    assert size_text(count) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.000123, "0.12 ms"), (0.0421, "42.10 ms"), (1.5, "1.50 s")]
)
def test_time_when_written_then_in_milliseconds_below_a_second(
    seconds: float, expected: str
) -> None:
    assert time_text(seconds) == expected
