"""Domain events: their kinds, and that they stay as they are."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from holdfast.domain.events import DomainEvent, EventKind

NOW = datetime(2024, 3, 1, tzinfo=UTC)


def test_kinds_when_listed_then_they_are_those_of_the_design() -> None:
    of_the_design = (
        "created, completed, failed, found stale, attempt begun, resumed, timed out, waiting, "
        "answered, cancel asked, killed, lease taken, write refused, fell back, purged, "
        "consolidated, repaired"
    )

    assert {str(kind) for kind in EventKind} == set(of_the_design.replace(" ", "_").split(",_"))


def test_event_when_little_is_known_then_the_rest_says_so() -> None:
    event = DomainEvent(EventKind.CREATED, "w", NOW)

    assert (event.number, event.epoch) == (0, 0)
    assert (event.checkpoint_id, event.correlation_id) == (None, None)
    assert event.detail == {}


def test_event_when_changed_then_it_is_refused() -> None:
    event = DomainEvent(EventKind.CREATED, "w", NOW)

    with pytest.raises(dataclasses.FrozenInstanceError):
        event.number = 1  # type: ignore[misc]


def test_event_when_two_are_made_then_they_do_not_share_their_detail() -> None:
    one = DomainEvent(EventKind.CREATED, "w", NOW)
    other = DomainEvent(EventKind.CREATED, "w", NOW)

    assert one == other
    assert one.detail is not other.detail
