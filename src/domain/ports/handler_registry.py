"""Where resume handlers are looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ..checkpoint import DEFAULT_MAX_RETRIES

Isolation = Literal["inline", "process"]


@dataclass(frozen=True, slots=True)
class HandlerSpec:
    """A function that carries a workflow on, and how it is run.

    Attributes:
        timeout: seconds that one attempt may take; ``None`` for no limit but silence.
        is_workflow: whether it also starts workflows of its name.
        program: what a process of its own imports to find the handler, as ``MODULE:ATTRIBUTE``;
            ``None`` for the function itself, by its module and name.
        command: what is run instead of the function: arguments, without a shell.
    """

    name: str
    function: Callable[..., Any]
    timeout: float | None
    isolation: Isolation = "inline"
    is_workflow: bool = False
    max_retries: int = DEFAULT_MAX_RETRIES
    retention_days: float | None = None
    retention_count: int | None = None
    program: str | None = None
    command: tuple[str, ...] = ()


class HandlerRegistry(Protocol):
    """Knows the handlers of this program; what is not registered here cannot run."""

    def get(self, name: str) -> HandlerSpec | None:
        """Return the handler called *name*; a stored name is looked up, never imported."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all handlers, sorted."""
