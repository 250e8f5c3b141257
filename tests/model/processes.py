"""Processes that are pretended: an engine each, on one store, of one host, under one clock."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

import holdfast
from holdfast.domain.lease import Owner
from holdfast.infrastructure.clock import ManualClock

from .oracle import Actor, Session


class QuietClock(ManualClock):
    """A clock by which nobody keeps leases in the background: tests let the keeper have its turn.

    The keeping thread is told at once that it is over; `tick` is what it would have done.
    """

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return True


@dataclass
class PretendedHost:
    """A host that knows which of its processes are gone."""

    number: int
    gone: set[int]

    def owner(self) -> Owner:
        return Owner("host", "boot-0", "namespace", self.number, self.number)

    def is_gone(self, owner: Owner) -> bool:
        return owner.pid in self.gone


@dataclass
class Process:
    """One process: its engine, its runs, and the model's idea of it."""

    engine: holdfast.Engine
    actor: Actor
    runs: list[tuple[holdfast.Run, Session]] = field(default_factory=list)


def open_process(
    target: str, clock: ManualClock, number: int, gone: set[int], registry: holdfast.Registry
) -> Process:
    """Return a new process with an engine on *target*."""
    engine = holdfast.open(
        target,
        registry=registry,
        durability="process",  # what a power cut leaves is tested elsewhere
        clock=clock,
        settings=holdfast.Settings(back_off_base=0.0),
    )
    dispatcher = engine._kernel.dispatcher
    dispatcher.env = replace(dispatcher.env, host=PretendedHost(number, gone))
    return Process(engine, Actor(number))


def tick(engine: holdfast.Engine) -> None:
    """Let the keeper of leases have its turn."""
    engine._kernel.keeper.tick()


def let_go(engine: holdfast.Engine) -> None:
    """Close the file of a process that died: as the system does, and nothing else."""
    engine._kernel.store.close()
