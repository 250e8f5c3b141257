"""Processes of their own, for what must be ended whatever it does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..json_value import JsonObject

Sink = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life from a process that runs under a lease.

    Attributes:
        allowance: seconds for which that process may be silent, where that is more than usual; 0
            ends it; ``None`` changes nothing.
    """

    sender: int
    allowance: float | None


@dataclass(frozen=True, slots=True)
class ProcessOrder:
    """What a process of its own is to do: run a command, or the ``main`` of a module.

    Attributes:
        command: its arguments, run without a shell; empty where *module* is given.
        module: its ``main(task, tell, log)`` is called in a fresh interpreter; what it tells is the
            process's word, and what it logs goes where *stderr* says, without being kept.
        environment: all of it.
        stdin: what it reads; ``None`` for what this process reads.
        grace: seconds between being asked to end and being killed.
        stdout, stderr: where what it prints goes as it comes; may block.
    """

    environment: Mapping[str, str] = field(repr=False)  # holds a secret
    grace: float
    stdout: Sink
    stderr: Sink
    command: tuple[str, ...] = ()
    module: str = ""
    task: JsonObject | None = None
    stdin: bytes | None = None


class Process(Protocol):
    """A process of its own and everything that it starts."""

    @property
    def changed(self) -> threading.Event:
        """Set when there is another allowance, a word or the end to look at.

        Cleared by whoever looks.
        """

    @property
    def word(self) -> bytes | None:
        """What it told: JSON, perhaps cut off; the last counts."""

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; ``None`` until nothing of it is left."""

    @property
    def tail(self) -> str:
        """The end of what it printed."""

    def signs(self) -> list[Sign]:
        """Return the signs of life since the last call."""

    def close(self) -> None:
        """End it, if it has not ended: SIGTERM, and SIGKILL after the grace, its children with it.

        On return nothing of it is left running, as far as the system lets that be known.
        """


class Processes(Protocol):
    """Starts processes of their own."""

    def start(self, order: ProcessOrder) -> Process:
        """Start one, fresh: nothing of this process's state goes along.

        It does not outlive this process, not even when that is killed.

        Raises:
            HoldfastError: it cannot be started here.
        """


class SignsOfLife(Protocol):
    """Where a process that runs under an inherited lease shows that it is alive."""

    def give(self, allowance: float | None = None) -> None:
        """Give a sign of life, and say for how long the next may take; see `Sign`."""
