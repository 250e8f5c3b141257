"""What can be set on an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf

from ..domain.errors import InvalidRequest
from ..domain.lease import DEFAULT_DURATION, DEFAULT_SILENCE
from ..domain.wording import known_names, shorten


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set on an engine; durations in seconds.

    Attributes:
        write_timeout: how long trouble with locks and disks is waited out.
        max_state_bytes: of JSON text that one state, patch, input or output may have.
        lease: how long a lease is good for when it is not renewed.
        silence: how long a run may be silent before it counts as hung.
        back_off_base: the upper bound of the pause before the first retry.
        back_off_cap: the upper bound of any such pause.
        max_attempts: executions of one workflow, with progress or without; ``None`` for no bound.
        grace: what a process of a handler has between SIGTERM and SIGKILL.

    >>> Settings(lease=20, max_attempts=10).write_timeout
    30.0
    """

    write_timeout: float = 30.0
    max_state_bytes: int = 10 << 20
    lease: float = DEFAULT_DURATION
    silence: float = DEFAULT_SILENCE
    back_off_base: float = 1.0
    back_off_cap: float = 60.0
    max_attempts: int | None = None
    grace: float = 5.0

    @classmethod
    def of(cls, given: Settings | Mapping[str, float | None] | None) -> Settings:
        """Return the settings that *given* makes; raises `InvalidRequest` naming what cannot be.

        >>> Settings.of({"lease": 20}).lease
        20
        """
        if given is None or isinstance(given, Settings):
            return given or cls()
        if not isinstance(given, Mapping):
            raise InvalidRequest(
                f"settings is {type(given).__name__}; give a holdfast.Settings, or a mapping of "
                "names to values"
            )
        known = [each.name for each in fields(cls)]
        for name in given:
            if name not in known:
                raise InvalidRequest(
                    f"there is no setting {name!r} ({known_names(str(name), known)})"
                )
        return cls(**dict(given))  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        if self.max_attempts is not None and (
            type(self.max_attempts) is not int or self.max_attempts < 1
        ):
            raise InvalidRequest(
                f"max_attempts is {shorten(self.max_attempts)}; give 1 or more, or None"
            )
        for each in fields(self):
            if each.name == "max_attempts":
                continue
            value = getattr(self, each.name)
            if type(value) not in (int, float):
                raise InvalidRequest(
                    f"{each.name} is {shorten(value)}; give a number, not {type(value).__name__}"
                )
        for name in ("write_timeout", "back_off_base", "back_off_cap", "grace"):
            if not 0 <= getattr(self, name) < inf:
                raise InvalidRequest(f"{name} is {getattr(self, name)}; give 0 or more seconds")
        for name in ("max_state_bytes", "lease", "silence"):
            if not 0 < getattr(self, name) < inf:
                raise InvalidRequest(f"{name} is {getattr(self, name)}; give more than 0")
