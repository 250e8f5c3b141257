"""Whether the ``with`` block of a stage, or of an agent, is entered: only inside is it of use."""

from __future__ import annotations

from ..domain.errors import InvalidRequest
from ..domain.scope import Scope


class Block:
    """The ``with`` block of a stage or an agent.

    Args:
        usage: how it is written.
    """

    def __init__(self, scope: Scope, usage: str) -> None:
        self._subject = f"{scope.kind} {scope}"
        self._usage = usage
        self._entered = False
        self._left = False

    def enter(self) -> None:
        """Note that it is entered."""
        self._entered = True

    def leave(self) -> None:
        """Note that it is left, however that ends."""
        self._left = True

    def require_inside(self) -> None:
        """Raise `InvalidRequest` before it is entered, and after it was left."""
        if not self._entered:
            raise InvalidRequest(
                f"{self._subject} is used before it was entered; write `{self._usage}` and use it "
                "inside"
            )
        if self._left:
            raise InvalidRequest(
                f"{self._subject} is used after it was left; what belongs to it goes inside its "
                f"block, `{self._usage}`"
            )
