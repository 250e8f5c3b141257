"""What of a workflow's history goes, and why the rest stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

import pytest
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.errors import InvalidRequest
from holdfast.domain.retention import (
    AgedCheckpoint,
    Limits,
    OwnRetention,
    Reason,
    Retention,
    RetentionPlan,
    Rule,
    Sequences,
    plan_retention,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def _aged(sequence: int, days: float = 100, **about: Any) -> AgedCheckpoint:
    parent = about.pop("parent", sequence - 1 or None)
    at = NOW - timedelta(days=days)
    return AgedCheckpoint(sequence * 10, sequence, parent, at, 7, **about)


def _plan(rows: list[AgedCheckpoint], rule: Rule) -> RetentionPlan:
    return plan_retention("wf", rows, len(rows), rule)


def test_plan_when_a_checkpoint_is_old_and_not_among_the_newest_then_it_alone_goes() -> None:
    rows = [_aged(1, 40), _aged(2, 20), _aged(3, 40), _aged(4, 40)]

    plan = _plan(rows, Retention(days=30, count=2).rule(NOW))

    assert plan.going.ranges == [(1, 1)]
    assert (plan.checkpoints, plan.size) == (1, 7)
    assert plan.kept == {Reason.RECENT: 3}


def test_plan_when_exactly_as_old_as_is_kept_then_it_stays() -> None:
    plan = _plan([_aged(1, 30), _aged(2, 1)], Retention(days=30, count=0).rule(NOW))

    assert plan.checkpoints == 0


def test_plan_when_everything_may_go_then_the_newest_stays_and_needs_no_parent() -> None:
    plan = _plan([_aged(1), _aged(2), _aged(3)], Rule(keep=0))

    assert plan.going.ranges == [(1, 2)]
    assert plan.kept == {Reason.NEWEST: 1}
    assert plan.cuts == [3]
    assert plan.boundary == (30, 3)
    assert plan.head == 3


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (CheckpointStatus.ACTIVE, Reason.IN_FLIGHT),
        (CheckpointStatus.RECOVERING, Reason.IN_FLIGHT),
        (CheckpointStatus.WAITING, Reason.WAITING),
        (CheckpointStatus.FAILED, Reason.FAILED),
    ],
)
def test_plan_when_an_opening_is_not_done_then_it_stays_and_says_why(
    status: CheckpointStatus, reason: Reason
) -> None:
    plan = _plan([_aged(1), _aged(2, unfinished=status), _aged(3), _aged(4)], Rule(keep=1))

    assert plan.going.ranges == [(1, 1), (3, 3)]
    assert plan.kept == {reason: 1, Reason.RECENT: 1}
    assert plan.cuts == [2, 4]
    assert plan.boundary == (40, 4), "what is kept only because it is open bounds nothing"


def test_plan_when_the_workflow_stands_on_an_old_opening_then_that_stays() -> None:
    plan = _plan([_aged(1, opens_workflow=True), _aged(2), _aged(3)], Rule(keep=1))

    assert plan.kept == {Reason.OPENING: 1, Reason.RECENT: 1}
    assert plan.cuts == [3]


def test_plan_when_branches_leave_a_parent_that_goes_then_each_is_cut_there() -> None:
    rows = [_aged(1), _aged(2), _aged(3, 1, parent=1), _aged(4, 1, parent=3), _aged(5, 1, parent=2)]

    plan = _plan(rows, Rule(before=NOW - timedelta(days=30)))

    assert plan.going.ranges == [(1, 2)]
    assert plan.cuts == [3, 5]


def test_plan_when_several_limits_are_set_then_they_must_agree() -> None:
    rows = [_aged(number, 50 - number) for number in range(1, 6)]
    limits = Limits(max_age=timedelta(days=47), keep=1)

    plan = _plan(rows, limits.rule(NOW, below=20))

    assert plan.going.ranges == [(1, 1)], "2 is old, and not the newest, and within the bytes"


def test_limits_when_a_time_and_an_age_are_given_then_the_earlier_counts() -> None:
    limits = Limits(before=NOW, max_age=timedelta(days=1))

    assert limits.rule(NOW, None).before == NOW - timedelta(days=1)


@pytest.mark.parametrize("days", [inf, 1e12])
def test_retention_when_it_is_for_ever_then_nothing_goes(days: float) -> None:
    plan = _plan([_aged(1, 10_000), _aged(2, 10_000)], Retention(days, 0).rule(NOW))

    assert plan.checkpoints == 0


@pytest.mark.parametrize("days", [-1, nan, "3", True])
def test_retention_when_the_days_cannot_be_then_the_error_says_so(days: Any) -> None:
    with pytest.raises(InvalidRequest, match="retention_days"):
        Retention(days=days)


@pytest.mark.parametrize("count", [-1, 2.0, True, 1 << 63])
def test_retention_when_the_count_cannot_be_then_the_error_says_so(count: Any) -> None:
    with pytest.raises(InvalidRequest, match="retention_count"):
        OwnRetention(count=count)


@pytest.mark.parametrize(
    ("about", "named"),
    [
        ({"keep": -1}, "keep"),
        ({"max_bytes": -1}, "max_bytes"),
        ({"max_age": timedelta(days=-1)}, "max_age"),
        ({"before": NOW.replace(tzinfo=None)}, "time zone"),
    ],
)
def test_limits_when_one_cannot_be_then_the_error_names_it(
    about: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidRequest, match=named):
        Limits(**about)


def test_own_retention_when_it_leaves_something_open_then_the_store_says_it() -> None:
    assert OwnRetention(days=90).over(Retention(30, 5)) == Retention(90, 5)
    assert OwnRetention(count=0).over(Retention(30, 5)) == Retention(30, 0)


def test_sequences_when_cut_into_batches_then_the_highest_come_first() -> None:
    some = Sequences()
    for each in [1, 2, 3, 4, 5, 9, 11, 12]:
        some.add(each)

    assert list(some.batches(2)) == [(11, 12), (9, 9), (4, 5), (2, 3), (1, 1)]
    assert [each in some for each in (0, 1, 5, 6, 9, 10, 12, 13)] == [
        *(False, True, True, False, True, False, True, False)
    ]
    assert None not in some
