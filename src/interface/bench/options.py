"""What is measured, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

KB, MB = 1_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured, and how much of it.

    Attributes:
        state_size: bytes of JSON that the state of the workflow has.
        depth: checkpoints that the workflow has when measuring begins.
        writers: of `save`: threads that save at once on one engine; otherwise: processes that save
            to the same store meanwhile.
        rounds: how often it is done; of `save`, by each writer.
        keep: of `purge`: the newest checkpoints that stay.
    """

    state_size: int
    depth: int
    writers: int
    rounds: int
    keep: int = 100


DEFAULTS = {
    "recovery": Options(10 * MB, depth=100, writers=0, rounds=20),
    "save": Options(20 * KB, depth=100, writers=1, rounds=300),
    "purge": Options(2 * KB, depth=10_000, writers=1, rounds=5),
}
