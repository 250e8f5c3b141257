"""What every clock promises."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from datetime import UTC, timedelta

from ...domain.moment import from_microseconds, to_microseconds
from ...domain.ports import Clock

# Waiting ends long before that, or the test fails by it.
LONG = 60.0


class ClockContract(ABC):
    """Subclass it for each adapter, with a fixture ``clock``."""

    @abstractmethod
    def let_pass(self, clock: Clock, seconds: float) -> None:
        """Return when at least that much time has passed."""

    def test_moment_when_asked_then_the_wall_is_in_utc_and_whole_microseconds(
        self, clock: Clock
    ) -> None:
        moment = clock.moment()

        assert moment.wall.tzinfo is UTC
        assert from_microseconds(to_microseconds(moment.wall)) == moment.wall
        assert moment.uptime_ns > 0

    def test_moment_when_asked_again_then_it_does_not_go_back_within_a_boot(
        self, clock: Clock
    ) -> None:
        moments = [clock.moment() for _ in range(100)]

        assert len({each.boot_id for each in moments}) == 1
        uptimes = [each.uptime_ns for each in moments]
        assert uptimes == sorted(uptimes)

    def test_moment_when_time_has_passed_then_both_clocks_tell(self, clock: Clock) -> None:
        before = clock.moment()

        self.let_pass(clock, 0.002)

        after = clock.moment()
        assert after.uptime_ns - before.uptime_ns >= 2_000_000
        assert after.wall - before.wall >= timedelta(milliseconds=1)

    def test_wait_when_the_event_is_set_already_then_true_at_once(self, clock: Clock) -> None:
        event = threading.Event()
        event.set()

        assert clock.wait(event, LONG) is True
        assert clock.wait(event, 0.0) is True

    def test_wait_when_there_is_no_time_to_wait_then_false_at_once(self, clock: Clock) -> None:
        assert clock.wait(threading.Event(), 0.0) is False

    def test_wait_when_the_event_is_set_meanwhile_then_true(self, clock: Clock) -> None:
        event = threading.Event()
        found: list[bool] = []
        waiter = threading.Thread(target=lambda: found.append(clock.wait(event, LONG)))
        waiter.start()

        event.set()
        waiter.join(LONG / 2)

        assert found == [True]

    def test_wait_when_the_time_runs_out_then_false(self, clock: Clock) -> None:
        event = threading.Event()
        found: list[bool] = []
        waiter = threading.Thread(target=lambda: found.append(clock.wait(event, 0.01)))
        waiter.start()

        while waiter.is_alive():
            self.let_pass(clock, 0.01)
            waiter.join(0.001)

        assert found == [False]

    def test_moment_when_many_threads_ask_then_each_gets_one(self, clock: Clock) -> None:
        barrier = threading.Barrier(8)
        uptimes: list[int] = []

        def ask() -> None:
            barrier.wait()
            uptimes.append(clock.moment().uptime_ns)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(uptimes) == 8
