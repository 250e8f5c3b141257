"""Registers the command handlers of a configuration."""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.errors import InvalidConfiguration
from ..registry import Registry
from .values import CommandHandler


def register_commands(registry: Registry, handlers: Mapping[str, CommandHandler]) -> None:
    """Let *registry* run the commands that are configured, beside what the program registered.

    Raises:
        InvalidRequest: the program registered a handler of one of the names.
    """
    if not handlers:
        return
    register = getattr(registry, "command", None)
    if register is None:
        raise InvalidConfiguration(
            [f"handlers.{name}: command handlers are not there yet" for name in handlers],
            [f"handlers.{name}" for name in handlers],
        )
    for name, handler in handlers.items():
        register(name, list(handler.command), timeout=handler.timeout)
