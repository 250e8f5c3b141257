"""Attempts and how they end."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from holdfast.domain.attempt import Attempt, Outcome
from holdfast.domain.lease import Owner

ATTEMPT = Attempt(
    workflow_id="w",
    number=1,
    epoch=1,
    handler=None,
    owner=Owner("kelp", None, None, 1, None),
    correlation_id="c",
    begun_at=datetime(2024, 3, 1, tzinfo=UTC),
    begun_after=0,
)


def test_attempt_when_just_begun_then_it_has_no_outcome() -> None:
    assert ATTEMPT.outcome is None
    assert ATTEMPT.ended_at is None
    assert ATTEMPT.error is None


def test_attempt_when_changed_then_it_is_refused() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ATTEMPT.outcome = Outcome.DIED  # type: ignore[misc]


def test_attempt_when_it_ends_then_another_value_says_so() -> None:
    ended = dataclasses.replace(ATTEMPT, outcome=Outcome.FENCED)

    assert ended != ATTEMPT
    assert ended.outcome is Outcome.FENCED


def test_outcomes_when_listed_then_every_ending_of_the_design_has_one() -> None:
    assert {str(outcome) for outcome in Outcome} == {
        "completed",
        "failed",
        "timed_out",
        "waiting",
        "given_up",
        "died",
        "fenced",
        "cancelled",
        "store_trouble",
    }
