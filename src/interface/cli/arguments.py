"""Options and arguments that several commands have."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from ...domain.scope import Scope
from ..targets import workflow_of

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem as _Item

    CompletionItem: TypeAlias = _Item[str]


Complete: TypeAlias = Callable[[click.Context, click.Parameter, str], list[str]]


def completed(kind: str) -> Complete:
    """Return what completes a word: a function of `stored_names`, imported when it is asked."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        from . import stored_names

        found: list[str] = getattr(stored_names, kind)(context, incomplete)
        return found

    return complete


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

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return the workflows of the store."""
        from click.shell_completion import CompletionItem as Item

        found = completed("workflows")(ctx, param, incomplete)
        return [Item(each) for each in found]


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
                self.fail(
                    f"{value}: {error.strerror}. Name a file that holds JSON, or - for standard "
                    "input.",
                    param,
                    ctx,
                )
        try:
            import json

            return Parsed(json.loads(text))
        except ValueError as error:
            self.fail(f"{value} is not JSON: {error}", param, ctx)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Let the shell complete a file."""
        from click.shell_completion import CompletionItem as Item

        return [Item(incomplete, type="file")]


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


def file_named(
    context: click.Context,  # noqa: ARG001
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[CompletionItem]:
    """Let the shell complete the name of a file that need not be there."""
    from click.shell_completion import CompletionItem as Item

    return [Item(incomplete, type="file")]


IDS = completed("ids")
HANDLERS = completed("handlers")
WORKFLOW = WorkflowArgument()
JSON_FILE = JsonFile()
