"""What every command works with: the store, the program, and how to print."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from ..configuration.values import Configuration
    from ..engine import Engine
    from ..registry import Registry
    from ..times import TimeForm, Times


class Shell:
    """What the options before the command, and the configuration, say."""

    def __init__(self) -> None:
        self._given: dict[str, Any] = {}
        self._config: Configuration | None = None
        self._program: Registry | Engine | None = None
        self._has_commands = False
        self._now: datetime | None = None
        self.exit_code = 0  # of a command that did what it could

    def give(self, name: str, value: Any) -> None:
        """Note an option; one that was not given, or is 0 or false, says nothing."""
        if value:
            self._given[name] = value

    @property
    def config(self) -> Configuration:
        """What is configured, options included; read when it is first asked for."""
        if self._config is None:
            from .configured import read

            self._config = read(self._given)
        return self._config

    def use(self, config: Configuration) -> None:
        """Take this for what is configured."""
        self._config = config

    @property
    def store(self) -> str | None:
        """The store that is named, if one is."""
        return self.config.store

    @property
    def app(self) -> str | None:
        """Where the handlers are, if that is said."""
        return self.config.app

    @property
    def as_json(self) -> bool:
        """Whether JSON, and nothing else, is to be printed."""
        return self.config.json

    @property
    def verbose(self) -> bool:
        """Whether tracebacks are to be shown."""
        return self.config.verbose

    @property
    def shows_tracebacks(self) -> bool:
        """As `verbose`, also when it is the configuration that cannot be read."""
        return bool(self._given.get("verbose") or (self._config and self._config.verbose))

    @contextmanager
    def engine(self, *, writable: bool = False, create: bool = False) -> Iterator[Engine]:
        """Give an engine on the store, with the program's handlers, in processes of their own.

        Args:
            writable: bring the store's schema up to date.
            create: make the store if there is none; for commands that begin something, so that a
                slip in its name does not make another one.
        """
        from ..bootstrap import make_kernel
        from ..engine import Engine
        from .configured import handed_on

        program = self._load_program()
        if isinstance(program, Engine):
            self._require_same_store(program)
            self._now = program._kernel.env.clock.moment().wall  # noqa: SLF001 - told by its clock
            yield self._isolated(program)
            return
        kernel = make_kernel(
            self.require_store(),
            registry=program,
            durability=self.config.durability,
            settings=self.config.engine,
            retention=self.config.retention,
            upgrade=writable,
            create=create,
            log=self.config.log,
        )
        self._now = kernel.env.clock.moment().wall
        kernel = replace(kernel, handed_on=handed_on(self._given, self.config))
        with Engine(kernel) as engine, self._hearing(looks_only=not writable):
            yield self._isolated(engine)

    def registry(self) -> Registry:
        """Return the handlers of the program, which must be named."""
        from ..registry import Registry

        program = self._load_program()
        if program is None:
            raise click.UsageError(
                "No program: give --app MODULE:ATTRIBUTE, set HOLDFAST_APP, or configure app."
            )
        return program if isinstance(program, Registry) else program.registry

    def require_store(self) -> str:
        """Return the store that is named."""
        if self.store is None:
            raise click.UsageError(
                "No store: give --store TARGET, set HOLDFAST_STORE, or configure store."
            )
        return self.store

    def print_json(self, value: Any) -> None:
        """Print a value as JSON on standard output."""
        from .json_form import to_text

        click.echo(to_text(value))

    def print(self, *parts: RenderableType) -> None:
        """Print text, tables and trees on standard output, as it fits there."""
        from .screen import print_fitted

        print_fitted(*parts)

    def print_whole(self, *parts: Text) -> None:
        """Print text that is neither wrapped nor cut: it can be copied as it is."""
        from .screen import print_whole

        print_whole(*parts)

    @property
    def times(self) -> Times:
        """How times are told, as of the moment at which the store was looked at."""
        from ..times import Times

        return Times(self._now or datetime.now(UTC), self._time_form())

    def _time_form(self) -> TimeForm:
        from .screen import IS_WIDE, width_of

        if self._given.get("absolute"):
            return "absolute"
        # What is in a file is read later, when "3 min ago" says nothing.
        width = width_of(sys.stdout)
        return "absolute" if width is None else "both" if width >= IS_WIDE else "relative"

    @contextmanager
    def _hearing(self, *, looks_only: bool) -> Iterator[None]:
        """Say on standard error what a list left out, and end with 5."""
        if not looks_only:
            yield
            return
        import warnings

        from ..damaged_warning import DamagedWarning

        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always", DamagedWarning)
            yield
        for text in dict.fromkeys(
            str(each.message) for each in heard if issubclass(each.category, DamagedWarning)
        ):
            click.echo(f"holdfast: {text}", err=True)
            self.exit_code = 5

    def _isolated(self, engine: Engine) -> Engine:
        """Return the engine with the program's handlers in processes of their own."""
        if self.app is None and not self.config.handlers:
            return engine
        from ..isolation.isolated_engine import isolated

        # With --json standard output holds JSON alone.
        return isolated(engine, self.app, "stderr" if self.as_json else "stdout")

    def _load_program(self) -> Registry | Engine | None:
        """Return what --app names; loaded once, for it may make a new one each time."""
        config = self.config
        if self._program is None and config.app is not None:
            from .program import load

            said_in_file = config.origin("app").kind == "file"
            folder = config.file.parent if config.file and said_in_file else None
            self._program = load(config.app, folder)
        if config.handlers and not self._has_commands:
            self._add_commands()
        return self._program

    def _add_commands(self) -> None:
        from ..configuration.command_handlers import register_commands
        from ..registry import Registry

        program = self._program = self._program or Registry()
        registry = program if isinstance(program, Registry) else program.registry
        register_commands(registry, self.config.handlers)
        self._has_commands = True

    def _require_same_store(self, engine: Engine) -> None:
        if self.store is None or self.store == engine.target:
            return
        if _place(self.store) != _place(engine.target):
            raise click.UsageError(
                f"--app {self.app} is an engine on {engine.target}, and "
                f"{self.config.origin('store')} says {self.store}."
            )


def _place(target: str) -> object:
    """Return what is equal where two targets name the same place."""
    from pathlib import Path

    return Path(target.removeprefix("sqlite:///").removeprefix("json:")).resolve()
