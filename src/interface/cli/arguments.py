"""Options and arguments that several commands have."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ...domain.scope import Scope
from ..targets import workflow_of


class Parsed:
    """A value read from a file: told apart from an option that was not given."""

    def __init__(self, value: Any) -> None:
        self.value = value


class WorkflowArgument(click.ParamType[str]):
    """A workflow, by the text form of its name."""

    name = "workflow"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002
        ctx: click.Context | None,  # noqa: ARG002
    ) -> str:
        """Return the raw name."""
        return workflow_of(value if isinstance(value, Scope) else str(value))


class JsonFile(click.ParamType[Parsed]):
    """A file that holds JSON; ``-`` for standard input."""

    name = "file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Parsed:
        """Return the value in the file."""
        if value == "-":
            text = sys.stdin.buffer.read()
        else:
            try:
                text = Path(value).read_bytes()
            except OSError as error:
                self.fail(f"{value}: {error.strerror}", param, ctx)
        try:
            import json

            return Parsed(json.loads(text))
        except ValueError as error:
            self.fail(f"{value} is not JSON: {error}", param, ctx)


def value_of(parsed: Parsed | None) -> Any:
    """Return the value that was read; ``None`` when the option was not given."""
    return parsed.value if parsed is not None else None


def pairs(given: tuple[str, ...]) -> dict[str, str]:
    """Return ``KEY=VALUE`` options as a mapping."""
    found = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{each!r} must read KEY=VALUE")
        found[key] = value
    return found


WORKFLOW = WorkflowArgument()
JSON_FILE = JsonFile()
