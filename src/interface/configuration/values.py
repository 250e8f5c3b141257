"""What can be configured, with its defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...domain.retention import Retention
from ..log import Log
from ..registry import DEFAULT_HANDLER_TIMEOUT
from ..settings import Settings
from .origin import Origin


@dataclass(frozen=True, slots=True)
class Circuit:
    """When a failing handler is left alone for a while. Durations in seconds.

    Attributes:
        failures: so many within ``window`` open it: nothing is tried.
        pause: after which one is let through.
        successes: so many close it again.
    """

    failures: int = 3
    window: float = 60.0
    pause: float = 60.0
    successes: int = 2


@dataclass(frozen=True, slots=True)
class Supervision:
    """How a supervisor works. Durations in seconds.

    Attributes:
        interval: between two sweeps.
        at_once: recoveries side by side, at most.
        purge_every: between two purges.
        purge_at: when to purge, as a cron expression, in place of ``purge_every``.
        grace: for what is under way when it is told to stop.
    """

    interval: float = 5.0
    at_once: int = 4
    purge_every: float | None = 3600.0
    purge_at: str | None = None
    grace: float = 30.0
    circuit: Circuit = Circuit()


@dataclass(frozen=True, slots=True)
class CommandHandler:
    """A resume handler that is a command.

    Attributes:
        command: the program and its arguments; no shell reads them.
        timeout: seconds that one attempt may take.
    """

    command: tuple[str, ...]
    timeout: float = DEFAULT_HANDLER_TIMEOUT


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is configured, and where each value came from.

    Attributes:
        store: the store's target; ``None`` when none is named.
        app: where the handlers are registered, as ``MODULE:ATTRIBUTE``.
        engine: the `Settings` of the engine.
        handlers: command handlers by name.
        file: the configuration file, where there is one.
        origins: of the values that are not defaults, by key: ``"engine.lease"``.

    >>> config = Configuration.load(environ={"HOLDFAST_ENGINE_LEASE": "20s"}, folder="/")
    >>> config.engine.lease, str(config.origins["engine.lease"])
    (20.0, 'HOLDFAST_ENGINE_LEASE')
    """

    store: str | None = None
    app: str | None = None
    durability: str = "power"
    json: bool = False
    verbose: bool = False
    engine: Settings = field(default_factory=Settings)
    retention: Retention = field(default_factory=Retention)
    supervise: Supervision = Supervision()
    log: Log = field(default_factory=lambda: Log(level="off"))
    handlers: Mapping[str, CommandHandler] = field(default_factory=dict)
    file: Path | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        file: str | os.PathLike[str] | None = None,
        *,
        folder: str | os.PathLike[str] = ".",
        environ: Mapping[str, str] | None = None,
    ) -> Configuration:
        """Return what the file and the environment say, as the command line reads them.

        Args:
            file: the file; by default ``holdfast.toml``, or ``pyproject.toml`` with a table
                ``[tool.holdfast]``, in *folder* or the nearest folder above that has one.
            environ: the variables; by default those of this process.

        Raises:
            InvalidConfiguration: something in it cannot be; it says all that is wrong.
        """
        from .load import load

        return load(file, folder=folder, environ=os.environ if environ is None else environ)

    def origin(self, key: str) -> Origin:
        """Return where the value of *key* came from."""
        return self.origins.get(key, Origin())
