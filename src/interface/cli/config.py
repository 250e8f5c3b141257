"""The command that shows what is configured."""

from __future__ import annotations

from typing import Any

import click

from ..configuration.listing import Configured, listed
from .shell import Shell

_COLUMN = 34


@click.command("config")
@click.pass_obj
def config_command(shell: Shell) -> None:
    """Show what is configured, and where each value came from.

    Options go before variables in the environment, these before the file: holdfast.toml, or
    [tool.holdfast] in pyproject.toml, in this folder or the nearest one above that has it.
    """
    config = shell.config
    values = listed(config)
    if shell.as_json:
        shell.print_json({"file": _text(config.file), "values": list(values)})
        return
    click.echo(f"# configuration file: {_text(config.file) or 'none'}")
    for each in values:
        click.echo(f"{_shown(each):<{_COLUMN}}  # {each.origin}")


def _shown(each: Configured) -> str:
    """Return it as TOML, so that it can be copied into a file."""
    import json

    if each.value is None:
        return f"# {each.key} is not set"
    return f"{each.key} = {json.dumps(each.value, ensure_ascii=False)}"


def _text(value: Any) -> str | None:
    return str(value) if value is not None else None
