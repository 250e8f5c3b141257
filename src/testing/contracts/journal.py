"""What every journal promises."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from ...domain.checkpoint_id import CheckpointId
from ...domain.events import DomainEvent, EventKind
from ...domain.ports import Journal
from ...infrastructure.host import LocalHost

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


EVERY_FIELD = ("timestamp", "actor", "workflow_id", "checkpoint_id", "epoch", "correlation_id")


def event_of(kind: EventKind = EventKind.COMPLETED, id: str = "w@1", **detail: Any) -> DomainEvent:
    return DomainEvent(kind, "w", AT, CheckpointId.parse(id), 3, "c-1", detail)


class JournalContract:
    """Subclass it for each adapter, with fixtures ``journal`` and ``lines``."""

    @pytest.fixture
    def journal(self, request: pytest.FixtureRequest) -> Journal:
        raise NotImplementedError

    def lines(self) -> list[dict[str, Any]]:
        """Return what was written."""
        raise NotImplementedError

    def test_tell_when_events_happened_then_a_line_each_in_their_order_with_every_field(
        self, journal: Journal
    ) -> None:
        journal.tell([event_of(), DomainEvent(EventKind.LEASE_TAKEN, "w", AT, epoch=3)])

        first, second = self.lines()
        assert (first["level"], first["event"]) == ("info", "completed")
        assert first["timestamp"] == "2026-03-01T12:30:15.123456+00:00"
        assert first["actor"] == str(LocalHost().owner())
        assert [first[key] for key in EVERY_FIELD[2:]] == ["w", "w@1", 3, "c-1"]
        assert second["event"] == "lease_taken"
        assert [second[key] for key in EVERY_FIELD[2:]] == ["w", None, 3, None]

    @pytest.mark.parametrize(
        ("kind", "id", "level"),
        [
            (EventKind.CREATED, "w@1", "debug"),
            (EventKind.ATTEMPT_BEGUN, "w@1", "info"),
            (EventKind.FAILED, "w@1", "warning"),
            (EventKind.TIMED_OUT, "w@1", "warning"),
            (EventKind.WRITE_REFUSED, "w@1", "warning"),
            (EventKind.FOUND_STALE, "w@1", "warning"),
            (EventKind.KILLED, "w/s@1", "warning"),
            (EventKind.KILLED, "w@1", "error"),
            (EventKind.FELL_BACK, "w@1", "error"),
        ],
    )
    def test_tell_when_something_happened_then_its_level_says_how_bad_it_is(
        self, journal: Journal, kind: EventKind, id: str, level: str
    ) -> None:
        journal.tell([event_of(kind, id)])

        assert [line["level"] for line in self.lines()] == [level]

    def test_tell_when_a_detail_explains_then_it_is_there(self, journal: Journal) -> None:
        journal.tell([event_of(EventKind.ATTEMPT_BEGUN, attempt=2, handler="h")])

        (line,) = self.lines()
        assert (line["attempt"], line["handler"]) == (2, "h")

    def test_tell_when_a_detail_is_none_of_those_that_explain_then_left_out(
        self, journal: Journal
    ) -> None:
        journal.tell([event_of(EventKind.WAITING, name="ok?", ask={"key": "hush"}, state="hush")])

        (line,) = self.lines()
        assert line["name"] == "ok?"
        assert "hush" not in str(line)

    @pytest.mark.parametrize(
        ("detail", "told"),
        [
            ({"error": "ValueError: hush"}, {"error": "ValueError"}),
            (
                {"reason": "its retries are used up: 4 (…); the last error: ValueError: hush"},
                {"reason": "its retries are used up: 4"},
            ),
            (
                {"reason": "it failed (ValueError: hush), and w ended without it"},
                {"reason": "it failed"},
            ),
            ({"reason": "left open by crawl"}, {"reason": "left open by crawl"}),
        ],
    )
    def test_tell_when_a_detail_holds_what_an_error_says_then_only_its_type(
        self, journal: Journal, detail: dict[str, Any], told: dict[str, Any]
    ) -> None:
        journal.tell([event_of(EventKind.KILLED, **detail)])

        (line,) = self.lines()
        assert {key: line[key] for key in told} == told
        assert "hush" not in str(line)

    def test_say_when_no_event_stands_behind_it_then_a_line_at_the_time_of_the_clock(
        self, journal: Journal
    ) -> None:
        journal.say("sweep", level="warning", stale=3)

        (line,) = self.lines()
        assert (line["event"], line["level"], line["stale"]) == ("sweep", "warning", 3)
        assert line["timestamp"] == "2026-01-01T00:00:00.000000+00:00"

    def test_tell_when_many_threads_do_then_every_line_is_whole(self, journal: Journal) -> None:
        def tell() -> None:
            for _ in range(50):
                journal.tell([event_of()])

        threads = [threading.Thread(target=tell) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

        assert [line["event"] for line in self.lines()] == ["completed"] * 200
