"""Writes that arrive while a commit is under way share the next one.

The first to find nobody at work leads: it performs what is there, its own and that of all who wait,
and hands the lead to the next in line. There is no thread of its own, so a lone caller pays nothing
but two uncontended locks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from ..domain.errors import StoreBusy
from ..domain.ports import UnitOfWork, Written

T = TypeVar("T")

# In one transaction; the rest waits for the next.
_MOST_TOGETHER = 512
# How long a leader waits, in seconds, for those that it was with the last time: as soon as they are
# told of their outcome most of them come back with the next write.
_LONGEST_WAIT = 0.0005
# How often, in seconds, who is performed by somebody looks for its outcome, once its time is over.
_LOOKS_EVERY = 0.01


class Ticket:
    """One piece of work on its way to being durable, and its outcome.

    Attributes:
        deadline: until when trouble is waited out, by the monotonic clock.
        result: what the work returned, once it is durable.
        error: why it was not written.
    """

    __slots__ = ("deadline", "error", "is_done", "result", "work")

    def __init__(self, work: Callable[[UnitOfWork], Any], deadline: float) -> None:
        self.work = work
        self.deadline = deadline
        self.result: Any = None
        self.error: Exception | None = None
        self.is_done = False

    def succeed(self, result: Any) -> None:
        """Note what the work came to."""
        self.result, self.error, self.is_done = result, None, True

    def fail(self, error: Exception) -> None:
        """Note why nothing of it was written."""
        self.error, self.is_done = error, True


_NOBODY_WAITS = threading.Lock()  # never taken


class _Party:
    """Tickets that one caller waits for."""

    __slots__ = ("followers", "has_left", "heir", "is_out", "leads", "tickets", "waits", "woken")

    def __init__(self, tickets: Sequence[Ticket]) -> None:
        self.tickets = tickets
        self.leads = False
        self.waits = False  # in the queue, not yet taken by a leader
        self.has_left = False
        self.is_out = False  # and there was nothing left to do
        self.followers: list[_Party] = []  # whose tickets it performs with its own
        self.heir: _Party | None = None  # whom it handed the lead to
        self.woken = _NOBODY_WAITS

    def wait_to_be_woken(self) -> None:
        """Get ready to wait, which who leads at once never does."""
        self.woken = threading.Lock()
        self.woken.acquire()

    def wake(self) -> None:
        """Let its caller look; twice does no harm."""
        if self.woken.locked():
            self.woken.release()

    @property
    def is_served(self) -> bool:
        """Whether each of its tickets has an outcome."""
        return all(ticket.is_done for ticket in self.tickets)


class CommitQueue:
    """Lets one caller at a time perform what all of them want.

    Args:
        perform: performs tickets together and gives each of them its outcome. It raises only what
            interrupts its caller; a ticket without an outcome was not written then.
        target: what the errors name.
        together: whether work is shared at all; without, each caller performs its own.
    """

    def __init__(
        self,
        perform: Callable[[Sequence[Ticket]], None],
        target: str,
        *,
        together: bool = True,
    ) -> None:
        self._perform = perform
        self._target = target
        self._most = _MOST_TOGETHER if together else 1
        self._mutex = threading.Lock()
        self._queue: list[_Party] = []
        self._is_led = False
        # How many may be expected to come back, by how many there were the last time.
        self._expected = 0
        self._arrived = threading.Condition(self._mutex)

    def write(self, work: Callable[[UnitOfWork], T], deadline: float) -> T:
        """Have *work* performed; return what it returned, or raise why it was not written."""
        ticket = Ticket(work, deadline)
        self.run([ticket])
        try:
            if ticket.error is not None:
                raise ticket.error
            result: T = ticket.result
            return result
        finally:
            del ticket  # an error that is kept would keep itself

    def write_each(
        self, works: Sequence[Callable[[UnitOfWork], T]], deadline: float
    ) -> list[Written[T]]:
        """Have each performed; return what became of each."""
        tickets = [Ticket(work, deadline) for work in works]
        self.run(tickets)
        return [Written(ticket.result, ticket.error) for ticket in tickets]

    def run(self, tickets: Sequence[Ticket]) -> None:
        """Return when each ticket has its outcome.

        When the caller is interrupted, what a leader has taken may still be written, whole.
        """
        if not tickets:
            return
        party = _Party(tickets)
        try:
            try:
                self._enter(party)
                if not party.leads:
                    self._wait(party)
                if party.leads:
                    self._perform(self._batch(party))
            finally:
                self._leave(party)
        finally:
            if not party.is_out:
                # Interrupted even in leaving: nobody else would ever lead again.
                self._leave(party)

    def _enter(self, party: _Party) -> None:
        with self._mutex:
            if self._is_led:
                party.wait_to_be_woken()
                party.waits = True
                self._queue.append(party)
                if len(self._queue) == self._expected:
                    self._arrived.notify()
            else:
                self._is_led = party.leads = True

    def _wait(self, party: _Party) -> None:
        """Wait for the outcome, or for the lead."""
        patience = max(0.0, min(ticket.deadline for ticket in party.tickets) - time.monotonic())
        if party.woken.acquire(timeout=patience):
            return
        with self._mutex:
            if party.waits and not party.leads:
                self._withdraw(party)
                for ticket in party.tickets:
                    ticket.fail(
                        StoreBusy(
                            f"{self._target} stayed locked by another thread of this process; "
                            "try again, or allow more with Settings(write_timeout=…)"
                        )
                    )
                return
        # Somebody performs it, and keeps to its deadline; but wakes nobody before all are served.
        while not (party.leads or party.is_served):
            if party.woken.acquire(timeout=_LOOKS_EVERY):
                return

    def _batch(self, leader: _Party) -> list[Ticket]:
        """Return the leader's tickets and those of all who wait, in the order of arrival."""
        tickets = list(leader.tickets)
        with self._mutex:
            if len(self._queue) < self._expected:
                self._arrived.wait(_LONGEST_WAIT)
            taken = 0
            for party in self._queue:
                if len(tickets) >= self._most:
                    break
                tickets += party.tickets
                taken += 1
            # Before they leave the queue: whoever is in neither list would wait for ever.
            leader.followers = self._queue[:taken]
            del self._queue[:taken]
            for party in leader.followers:
                party.waits = False
            self._expected = taken
        return tickets

    # An interrupt may come between any two lines of what follows. Each can be run again then, and
    # goes on where it was; the lead passes in one assignment.

    def _leave(self, party: _Party) -> None:
        """Tell those that were served, and hand the lead on. Twice does no harm."""
        with self._mutex:
            party.has_left = True
            if party.waits:
                self._withdraw(party)
            if party.leads:
                self._take_back(party)
                following = self._queue[0] if self._queue else None
                if following is None:
                    self._is_led = party.leads = False
                else:
                    party.leads, following.leads, party.heir = False, True, following
            if party.heir is not None:
                self._withdraw(party.heir)
                party.heir.wake()
        for each in party.followers:
            if each.is_served:
                each.wake()
        party.is_out = True

    def _take_back(self, leader: _Party) -> None:
        """Let those whom an interrupted leader did not serve wait for the next one."""
        for each in reversed(leader.followers):
            if not (each.is_served or each.has_left or each in self._queue):
                each.waits = True
                self._queue.insert(0, each)

    def _withdraw(self, party: _Party) -> None:
        with suppress(ValueError):
            self._queue.remove(party)
        party.waits = False
