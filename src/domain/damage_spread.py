"""What damage takes along: of which checkpoints the context needs what is damaged."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class DamageSpread(Generic[K, T]):
    """Follows damage down the chains of one workflow.

    Is told of checkpoints in the order of their sequences, so that parents come first.
    """

    def __init__(self) -> None:
        self._to_blame: dict[int, K] = {}
        self._broken: dict[K, list[T]] = {}

    def begin(self, sequence: int, culprit: K) -> None:
        """Note that nothing can be rebuilt at a sequence, because of *culprit*."""
        self._to_blame[sequence] = culprit

    def reaches(self, parent: int) -> bool:
        """Whether nothing can be rebuilt at a parent."""
        return parent in self._to_blame

    def follow(self, sequence: int, parent: int, member: T) -> None:
        """Note that a checkpoint cannot be rebuilt either, because its parent cannot."""
        culprit = self._to_blame[sequence] = self._to_blame[parent]
        self._broken.setdefault(culprit, []).append(member)

    def because_of(self, culprit: K) -> list[T]:
        """Return what cannot be rebuilt because of *culprit*, in order."""
        return self._broken.get(culprit, [])
