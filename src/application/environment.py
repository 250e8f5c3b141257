"""What every use case may ask of the world around it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..domain.ports import Clock, Host, Randomness


@dataclass(frozen=True, slots=True)
class BackOff:
    """How soon a failed workflow is due again, in seconds."""

    base: float = 1.0
    cap: float = 60.0


@dataclass(frozen=True, slots=True)
class Environment:
    """The ports that are not part of a transaction, and the policy that is not a caller's.

    Attributes:
        max_attempts: bounds the executions of a workflow, with progress or without; ``None`` for
            no bound.
        disowned: tokens of leases that this process has given up, and could not say so while the
            store was ill: nobody has them.
    """

    clock: Clock
    host: Host
    randomness: Randomness
    back_off: BackOff = BackOff()
    max_attempts: int | None = None
    disowned: set[str] = field(default_factory=set, compare=False)
