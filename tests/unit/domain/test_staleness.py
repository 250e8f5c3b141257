"""Why a workflow in flight counts as stale."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from holdfast.domain.lease import Standing
from holdfast.domain.staleness import DEFAULT_THRESHOLD, StaleBecause, stale_because

NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("standing", "because"),
    [
        (Standing.HELD, None),
        (Standing.RAN_OUT, StaleBecause.LEASE_RAN_OUT),
        (Standing.GIVEN_UP, StaleBecause.GIVEN_UP),
        (Standing.OWNER_GONE, StaleBecause.OWNER_GONE),
    ],
)
@pytest.mark.parametrize("silence", [timedelta(0), 1000 * HOUR])
def test_stale_because_when_there_was_a_lease_then_it_alone_decides(
    standing: Standing, because: StaleBecause | None, silence: timedelta
) -> None:
    assert stale_because(standing, NOW - silence, NOW, HOUR) is because


@pytest.mark.parametrize(
    ("silence", "because"),
    [
        (HOUR - timedelta(microseconds=1), None),
        (HOUR, None),
        (HOUR + timedelta(microseconds=1), StaleBecause.SILENT),
        (-HOUR, None),
    ],
)
def test_stale_because_when_there_never_was_a_lease_then_silence_decides(
    silence: timedelta, because: StaleBecause | None
) -> None:
    assert stale_because(None, NOW - silence, NOW, HOUR) is because


def test_default_threshold_when_nobody_sets_one_then_it_is_half_an_hour() -> None:
    assert timedelta(minutes=30) == DEFAULT_THRESHOLD


def test_stale_because_when_shown_then_every_standing_but_held_has_its_own_reason() -> None:
    reasons = [stale_because(standing, NOW, NOW, HOUR) for standing in Standing]

    assert sorted(str(reason) for reason in reasons if reason) == sorted(
        str(each)
        for each in StaleBecause
        if each not in (StaleBecause.SILENT, StaleBecause.WAIT_IS_OVER)
    )
