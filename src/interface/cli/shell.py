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

    from ..engine import Engine
    from ..registry import Registry


@dataclass(slots=True)
class Shell:
    """What the options before the command say."""

    store: str | None = None
    app: str | None = None
    as_json: bool = False
    verbose: bool = False

    @contextmanager
    def engine(self, *, writable: bool = False) -> Iterator[Engine]:
        """Give an engine on the store, with the program's handlers.

        Args:
            writable: make the store if there is none, and bring its schema up to date.
        """
        from ..bootstrap import make_kernel
        from ..engine import Engine

        registry, own = self._program()
        if own is not None:
            self._require_same_store(own)
            yield own
            return
        if self.store is None:
            raise click.UsageError("No store: give --store TARGET, or set HOLDFAST_STORE.")
        kernel = make_kernel(self.store, registry=registry, upgrade=writable)
        with Engine(kernel) as engine:
            yield engine

    def print_json(self, value: Any) -> None:
        """Print a value as JSON on standard output."""
        from .json_form import to_text

        click.echo(to_text(value))

    def print(self, *parts: RenderableType) -> None:
        """Print text, tables and trees on standard output."""
        self.console().print(*parts)

    def console(self) -> Console:
        """Return what prints tables and trees: plain in a pipe, in colour on a terminal."""
        from rich.console import Console

        # In a pipe there is no width to fit: what is cut off there is lost to whoever reads it.
        width = None if sys.stdout.isatty() else 200
        return Console(width=width, highlight=False, soft_wrap=False)

    def _program(self) -> tuple[Registry | None, Engine | None]:
        if self.app is None:
            return None, None
        from ..registry import Registry
        from .program import load

        found = load(self.app)
        if isinstance(found, Registry):
            return found, None
        return None, found

    def _require_same_store(self, engine: Engine) -> None:
        from pathlib import Path

        if self.store is None or self.store == engine.target:
            return
        if Path(self.store.removeprefix("sqlite:///")).resolve() != Path(engine.target).resolve():
            raise click.UsageError(
                f"--app {self.app} is an engine on {engine.target}, and --store says {self.store}."
            )
