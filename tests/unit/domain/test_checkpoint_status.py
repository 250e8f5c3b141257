"""The transition table."""

from __future__ import annotations

import pytest
from holdfast.domain.checkpoint_status import TRANSITIONS, UNFINISHED, CheckpointStatus

S = CheckpointStatus

# As the design's table has it.
LEGAL = {
    (S.ACTIVE, S.COMPLETED),
    (S.ACTIVE, S.FAILED),
    (S.ACTIVE, S.RECOVERING),
    (S.ACTIVE, S.WAITING),
    (S.ACTIVE, S.KILLED),
    (S.FAILED, S.RECOVERING),
    (S.FAILED, S.KILLED),
    (S.RECOVERING, S.COMPLETED),
    (S.RECOVERING, S.FAILED),
    (S.RECOVERING, S.WAITING),
    (S.RECOVERING, S.KILLED),
    (S.RECOVERING, S.RECOVERING),
    (S.WAITING, S.RECOVERING),
    (S.WAITING, S.KILLED),
}


@pytest.mark.parametrize("current", S)
@pytest.mark.parametrize("wanted", S)
def test_may_become_when_asked_then_the_table_of_the_design_answers(
    current: CheckpointStatus, wanted: CheckpointStatus
) -> None:
    assert current.may_become(wanted) is ((current, wanted) in LEGAL)


def test_transitions_when_a_status_is_added_then_it_has_its_line() -> None:
    assert set(TRANSITIONS) == set(S)


@pytest.mark.parametrize(
    ("status", "in_flight", "final"),
    [
        (S.ACTIVE, True, False),
        (S.RECOVERING, True, False),
        (S.WAITING, False, False),
        (S.FAILED, False, False),
        (S.COMPLETED, False, True),
        (S.KILLED, False, True),
    ],
)
def test_status_when_asked_then_it_says_whether_in_flight_or_final(
    status: CheckpointStatus, in_flight: bool, final: bool
) -> None:
    assert status.is_in_flight is in_flight
    assert status.is_final is final
    assert (status in UNFINISHED) is not final


def test_status_when_written_then_it_reads_as_in_the_design() -> None:
    assert {str(each) for each in S} == {
        "active",
        "recovering",
        "waiting",
        "failed",
        "completed",
        "killed",
    }
