"""Times as whole microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from holdfast.domain.moment import from_microseconds, to_microseconds


@pytest.mark.parametrize(
    ("at", "count"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC), 1_000_001),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        # In floats of seconds these two would lose their last digit.
        (datetime(2255, 6, 5, 23, 47, 34, 740_993, tzinfo=UTC), 9_007_199_254_740_993),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 253_402_300_799_999_999),
        (datetime.min.replace(tzinfo=UTC), -62_135_596_800_000_000),
    ],
)
def test_microseconds_when_written_then_the_same_time_comes_back(at: datetime, count: int) -> None:
    assert to_microseconds(at) == count
    assert from_microseconds(count) == at
    assert from_microseconds(count).tzinfo is UTC


def test_to_microseconds_when_the_zone_is_another_then_the_instant_counts() -> None:
    here = datetime(2024, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    assert to_microseconds(here) == to_microseconds(datetime(2024, 3, 1, 6, 30, tzinfo=UTC))


def test_to_microseconds_when_the_time_is_naive_then_it_is_refused() -> None:
    with pytest.raises(TypeError):
        to_microseconds(datetime(2024, 3, 1))  # noqa: DTZ001 - the point of the test
