"""A group of commands that are imported when they are called, not to list them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

from ..log_words import FORMS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """A group whose commands are named in tables: ``{name: (module, one line of help)}``.

    Args:
        sections: the tables, by what the commands in them are for.
    """

    def __init__(
        self, *, sections: dict[str, dict[str, tuple[str, str]]], **settings: object
    ) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self._sections = {title: list(table) for title, table in sections.items()}
        self._table = {name: each for table in sections.values() for name, each in table.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names, in the order of the tables: what belongs together stands together."""
        return list(self._table)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Import the command called so; ``None`` when there is none."""
        if cmd_name not in self._table:
            return None
        module = importlib.import_module(f"{__package__}.{self._table[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        _accept_global_options(command)
        if command.epilog is None:
            from .examples import epilog_of

            command.epilog = epilog_of(cmd_name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Complete commands from the table, without importing them, and the options before them."""
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=help_)
            for name, (_, help_) in self._table.items()
            if name.startswith(incomplete)
        ]
        # Not the group's own: it would import each command for its help.
        return commands + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a line, or say which one was probably meant."""
        name = args[0] if args else ""
        if name not in self._table and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, self._table, n=2)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands from the table, without importing them."""
        for title, names in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, self._table[name][1]) for name in names])


def _accept_global_options(command: click.Command) -> None:
    """Let a command take the options that stand before it, too: people type them at the end."""
    if any(each.name == "as_json" for each in command.params):
        return
    for flags, settings in GLOBAL_OPTIONS:
        option = click.Option(
            flags, expose_value=False, hidden=True, callback=_set_on_shell, **settings
        )
        option.allow_from_autoenv = False
        command.params.append(option)


def _set_on_shell(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if param.name is not None:
        ctx.obj.give(param.name, value)


# What `Shell` is given, as options: before the command, and hidden, after it.
GLOBAL_OPTIONS: tuple[tuple[list[str], dict[str, Any]], ...] = (
    # As paths, so that shells complete files.
    (
        ["--store"],
        {"type": click.Path(), "metavar": "TARGET", "help": "The store: a path, or json:FOLDER."},
    ),
    (["--app"], {"metavar": "MODULE:ATTRIBUTE", "help": "Where the handlers are registered."}),
    (
        ["--config"],
        {"type": click.Path(), "metavar": "FILE", "help": "Read this file; see 'holdfast config'."},
    ),
    (
        ["--absolute"],
        {"is_flag": True, "help": "Tell times by date and UTC, also on a terminal."},
    ),
    (["--json", "as_json"], {"is_flag": True, "help": "Print JSON, and nothing else."}),
    (
        ["-v", "--verbose"],
        {"count": True, "help": "Show tracebacks and a log of what is done; -vv: more of it."},
    ),
    (
        ["--log-form"],
        {"type": click.Choice(FORMS), "help": "Write the log as lines of JSON, or for people."},
    ),
)
