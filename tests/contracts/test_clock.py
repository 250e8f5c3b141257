"""What every clock promises."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from holdfast.domain.ports import Clock
from holdfast.infrastructure.clock import ManualClock, SystemClock
from holdfast.testing.contracts.clock import ClockContract


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()

    def let_pass(self, clock: Clock, seconds: float) -> None:
        end = clock.moment().uptime_ns + int(seconds * 1e9)
        while clock.moment().uptime_ns < end:
            threading.Event().wait(seconds)

    def test_moment_when_another_clock_of_this_boot_is_asked_then_they_agree(self) -> None:
        first, second = SystemClock().moment(), SystemClock().moment()

        assert first.boot_id == second.boot_id
        assert second.uptime_ns >= first.uptime_ns


class TestManualClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return ManualClock()

    def let_pass(self, clock: Clock, seconds: float) -> None:
        assert isinstance(clock, ManualClock)
        clock.advance(seconds)

    def test_moment_when_the_wall_is_set_then_the_other_clock_stands_still(self) -> None:
        clock = ManualClock()
        before = clock.moment()

        clock.set_wall(before.wall - timedelta(days=1))

        after = clock.moment()
        assert after.wall == before.wall - timedelta(days=1)
        assert (after.boot_id, after.uptime_ns) == (before.boot_id, before.uptime_ns)

    def test_moment_when_rebooted_then_the_boot_is_another_and_the_uptime_starts_again(
        self,
    ) -> None:
        clock = ManualClock()
        clock.advance(5.0)
        before = clock.moment()

        clock.reboot()

        after = clock.moment()
        assert after.boot_id != before.boot_id
        assert after.uptime_ns < before.uptime_ns
        assert after.wall == before.wall
