"""Registers the command handlers of a configuration."""

from __future__ import annotations

from collections.abc import Mapping

from ..registry import Registry
from .values import CommandHandler


def register_commands(registry: Registry, handlers: Mapping[str, CommandHandler]) -> None:
    """Let *registry* run the commands that are configured, beside what the program registered.

    Raises:
        InvalidRequest: the program registered a handler of one of the names.
    """
    for name, handler in handlers.items():
        registry.command(name, handler.command, timeout=handler.timeout)
