"""What every command works with: the store, the program, and how to print."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from ..engine import Engine
    from ..registry import Registry


@dataclass(slots=True)
class Shell:
    """What the options before the command say."""

    store: str | None = None
    app: str | None = None
    as_json: bool = False
    verbose: bool = False
    _program: Registry | Engine | None = None

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

        program = self._load_program()
        if isinstance(program, Engine):
            self._require_same_store(program)
            yield self._isolated(program)
            return
        kernel = make_kernel(
            self.require_store(), registry=program, upgrade=writable, create=create
        )
        with Engine(kernel) as engine:
            yield self._isolated(engine)

    def registry(self) -> Registry:
        """Return the handlers of the program, which must be named."""
        from ..registry import Registry

        program = self._load_program()
        if program is None:
            raise click.UsageError("No program: give --app MODULE:ATTRIBUTE, or set HOLDFAST_APP.")
        return program if isinstance(program, Registry) else program.registry

    def require_store(self) -> str:
        """Return the store that is named."""
        if self.store is None:
            raise click.UsageError("No store: give --store TARGET, or set HOLDFAST_STORE.")
        return self.store

    def print_json(self, value: Any) -> None:
        """Print a value as JSON on standard output."""
        from .json_form import to_text

        click.echo(to_text(value))

    def print(self, *parts: RenderableType) -> None:
        """Print text, tables and trees on standard output."""
        self.console().print(*parts)

    def print_whole(self, *parts: Text) -> None:
        """Print text that is neither wrapped nor cut: it can be copied as it is."""
        for part in parts:
            self.console().print(part, soft_wrap=True)

    def console(self) -> Console:
        """Return what prints tables and trees: plain in a pipe, in colour on a terminal."""
        from rich.console import Console

        # In a pipe there is no width to fit: what is cut off there is lost to whoever reads it.
        width = None if sys.stdout.isatty() else 200
        return Console(width=width, highlight=False, soft_wrap=False)

    def _isolated(self, engine: Engine) -> Engine:
        """Return the engine with the program's handlers in processes of their own."""
        if self.app is None:
            return engine
        from ..isolation.isolated_engine import isolated

        # With --json standard output holds JSON alone.
        return isolated(engine, self.app, "stderr" if self.as_json else "stdout")

    def _load_program(self) -> Registry | Engine | None:
        """Return what --app names; loaded once, for it may make a new one each time."""
        if self._program is None and self.app is not None:
            from .program import load

            self._program = load(self.app)
        return self._program

    def _require_same_store(self, engine: Engine) -> None:
        from pathlib import Path

        if self.store is None or self.store == engine.target:
            return
        if Path(self.store.removeprefix("sqlite:///")).resolve() != Path(engine.target).resolve():
            raise click.UsageError(
                f"--app {self.app} is an engine on {engine.target}, and --store says {self.store}."
            )
