"""What a row is given to measure with."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .interleave import Absent, Rounds, Side, interleaved


@dataclass(slots=True)
class Bench:
    """What a row is given to measure with.

    Attributes:
        folder: on the disk that is to be measured.
        rounds: how often all sides run.
        quick: do less in each round; the figures are rougher, and long histories are shorter.
    """

    folder: Path
    rounds: int = 7
    quick: bool = False
    told: Callable[[], None] = field(default=lambda: None)

    def size(self, full: int, quick: int) -> int:
        """Return how much is to be done: *full*, or *quick* when it must be quick."""
        return quick if self.quick else full

    def compare(self, sides: Mapping[str, Side | Absent], *, times: int = 1) -> Rounds:
        """Run what is compared in turn.

        Args:
            times: so many times as many rounds, where a round is short: syncs take now 0.2 ms and
                now 5, and many short rounds see more of that on both sides than few long ones.
        """
        return interleaved(sides, self.rounds * times, told=self.told)

    @contextmanager
    def room(self) -> Iterator[Path]:
        """Give an empty folder on the measured disk, gone afterwards."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix="bench-", dir=self.folder, ignore_cleanup_errors=True
        ) as made:
            yield Path(made)
