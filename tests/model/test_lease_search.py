"""Every small history of a lease: nobody writes twice, nothing is lost, nobody is stuck for ever.

Looked at in every state that is reached: epochs and sequences only grow; no epoch is given to two;
whoever was followed by another is refused; what was acknowledged is there, and counts; each lease
has one attempt that is open; and a fresh process, all others being silent, brings it to its end.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .lease_search import Found, search
from .places import JsonPlace, SqlitePlace

_STATUSES = {"active", "recovering", "waiting", "failed", "completed", "killed"}


def told(found: Found) -> Found:
    print(f"{sum(found.states)} states ({found.states}), {found.steps} steps, {found.statuses}")
    return found


def test_two_actors_on_sqlite_when_they_do_all_they_can_then_what_must_hold_holds(
    quick_room: Path,
) -> None:
    found = told(search(SqlitePlace(quick_room), actors=2, depth=6, most=2000))

    assert sum(found.states) >= 2000
    assert set(found.statuses) == _STATUSES


def test_three_actors_on_sqlite_when_they_do_all_they_can_then_what_must_hold_holds(
    quick_room: Path,
) -> None:
    found = told(search(SqlitePlace(quick_room), actors=3, depth=4, most=1000))

    assert found.is_whole
    assert set(found.statuses) == _STATUSES


def test_two_actors_on_json_files_when_they_do_all_they_can_then_what_must_hold_holds(
    quick_room: Path,
) -> None:
    found = told(search(JsonPlace(quick_room), actors=2, depth=4, most=30))

    assert sum(found.states) >= 30


@pytest.mark.deep
def test_two_actors_on_sqlite_when_they_go_on_for_long_then_what_must_hold_holds(
    quick_room: Path,
) -> None:
    found = told(search(SqlitePlace(quick_room), actors=2, depth=8, most=40_000))

    assert sum(found.states) >= 40_000


@pytest.mark.deep
def test_two_actors_on_json_files_when_they_go_on_for_long_then_what_must_hold_holds(
    quick_room: Path,
) -> None:
    found = told(search(JsonPlace(quick_room), actors=2, depth=4, most=1000))

    assert found.is_whole
