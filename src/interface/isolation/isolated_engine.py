"""An engine as the command line has it: whatever the program does, it can be ended."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Literal

from ..engine import Engine


def isolated(
    engine: Engine, program: str | None, print_to: Literal["stdout", "stderr"] = "stdout"
) -> Engine:
    """Return an engine on the same store whose handlers run in processes of their own.

    It is closed with the other one. A store in memory cannot be shared: there they run inline, and
    so they do where the system is not POSIX.

    Args:
        program: ``MODULE:ATTRIBUTE`` of the registry, or of what gives it; ``None`` where there
            is none, and commands alone are registered.
        print_to: where the standard output of the handlers goes.
    """
    kernel = engine._kernel  # noqa: SLF001 - the same object, with other handlers
    if os.name != "posix" or kernel.store.target == "memory:":
        return engine
    registry = kernel.registry.isolated(program)
    return Engine(replace(kernel, registry=registry, handlers_print_to=print_to))
