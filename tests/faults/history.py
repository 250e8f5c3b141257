"""A recorded scenario: what the disk held at each step, and what the store told between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from .power_cut import DiskState, ModelDisk
from .trace import Step, read_trace

# Sectors and names; a page of SQLite's is eight, and its frame nine.
_MANY = 8


@dataclass(frozen=True)
class Crash:
    """A state of the disk, and which transactions may be in it.

    Attributes:
        step: after so many steps of the record.
        least: how many transactions were durable by then, and so must be there.
        most: how many had at least begun to be made so, and so may be there.
        is_power_cut: else a process was killed, and the disk has all that was written.
    """

    state: DiskState
    step: int
    least: int
    most: int
    is_power_cut: bool


class History:
    """A record, gone through from the beginning as often as need be."""

    def __init__(self, folder: Path, record: Path) -> None:
        self.steps = read_trace(record)
        self._folder = str(folder)

    def moments(self) -> Iterator[tuple[int, Step, ModelDisk, int, int]]:
        """Iterate over the steps and marks, each with the disk after it.

        Gives the number of the step, the step, the disk, and how many transactions had become
        durable, and had begun to.
        """
        disk = ModelDisk(self._folder)
        begun = committed = 0
        for number, step in enumerate(self.steps, start=1):
            if step.what != "mark":
                disk.take(step)
            begun += step.mark == "begins"
            if step.mark == "committed":
                committed = begun
            yield number, step, disk, committed, begun

    def end(self) -> DiskState:
        """Return what every program saw at the end."""
        disk = ModelDisk(self._folder)
        for step in self.steps:
            if step.what != "mark":
                disk.take(step)
        return disk.visible()

    def kills(self) -> Iterator[Crash]:
        """Iterate over what is there when the process is killed between any two steps."""
        for number, step, disk, committed, begun in self.moments():
            if step.what != "mark":
                yield Crash(disk.visible(), number, committed, begun, is_power_cut=False)

    def power_cuts(self, draw: Random, draws: int) -> Iterator[Crash]:
        """Iterate over states that a power cut may leave after any step.

        What is there for certain alone is one of them; the others are drawn, up to *draws* a step
        and more where more is uncertain.
        """
        for number, step, disk, committed, begun in self.moments():
            if step.what == "mark":
                continue
            yield Crash(disk.least(), number, committed, begun, is_power_cut=True)
            for _ in range(min(disk.uncertain, draws * min(4, 1 + disk.uncertain // _MANY))):
                yield Crash(disk.drawn(draw), number, committed, begun, is_power_cut=True)
