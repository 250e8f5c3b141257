"""Completion in bash, zsh and fish: by click, in words as these shells have them."""

from __future__ import annotations

import os
import re
import sys
from pathlib import PurePath

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

VARIABLE = "_HOLDFAST_COMPLETE"
SHELLS = ("bash", "zsh", "fish")

# Not click's: bash takes `wf@3` for three words, and what has blanks must come back escaped.
_BASH = """\
%(complete_func)s() {
    local line type value response
    COMPREPLY=()
    response=$(COMP_LINE="${COMP_LINE:0:COMP_POINT}" %(complete_var)s=bash_complete \\
        "$1" 2>/dev/null)
    while IFS= read -r line; do
        type="${line%%%%,*}" value="${line#*,}"
        case "$type" in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done <<< "$response"
}
complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null ||
    complete -F %(complete_func)s %(prog_name)s
"""
_BREAKS = "@:="
_UNSAFE = re.compile(r"""([\s\\"'`$&|;<>()*?\[\]{}!#~])""")


class Bash(BashComplete):
    """Completion for bash, whole words at a time."""

    source_template = _BASH

    def source(self) -> str:
        """Return the script; older versions of bash get the answers in another order."""
        return self.source_template % self.source_vars()

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is being typed, and that one."""
        line = os.environ.get("COMP_LINE", "")
        raw = _word_at_the_end(line)
        words = split_arg_string(line[: len(line) - len(raw)])
        self._raw = raw
        typed = split_arg_string(raw)
        return words[1:], typed[0] if typed else ""

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return it as it is to stand in the place of what bash takes for the word."""
        if self._raw[:1] in ("'", '"'):
            return f"{item.type},{item.value}"
        value = _UNSAFE.sub(r"\\\1", item.value)
        typed = max(self._raw.rfind(each) for each in _BREAKS) + 1
        return f"{item.type},{value[typed:]}"


def register() -> None:
    """Let click use it."""
    add_completion_class(Bash)


@click.command("completion")
@click.argument("shell_name", metavar="[bash|zsh|fish]", type=click.Choice(SHELLS), required=False)
def completion_command(shell_name: str | None) -> None:
    """Print what makes bash, zsh or fish complete commands and ids.

    Ids are read from the store that the line names, or that is configured; without a name it is for
    the shell that SHELL names.
    """
    register()
    name = shell_name or PurePath(os.environ.get("SHELL", "")).name
    found = get_completion_class(name) if name in SHELLS else None
    root = click.get_current_context().find_root()
    if found is None:
        raise click.UsageError(f"Name your shell: {', '.join(SHELLS)}.")
    click.echo(found(root.command, {}, "holdfast", VARIABLE).source(), nl=False)
    if sys.stdout.isatty():
        click.echo(f"# load it with: {_LOADING[name]}", err=True)


_LOADING = {
    "bash": 'eval "$(holdfast completion bash)"  in ~/.bashrc',
    "zsh": 'eval "$(holdfast completion zsh)"  in ~/.zshrc, after compinit',
    "fish": "holdfast completion fish | source  in ~/.config/fish/config.fish",
}


def _word_at_the_end(line: str) -> str:
    """Return the word that is being typed, as it is typed: with its quotes and backslashes."""
    begin, quote, is_escaped = 0, "", False
    for index, letter in enumerate(line):
        if is_escaped:
            is_escaped = False
        elif letter == "\\" and quote != "'":
            is_escaped = True
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter.isspace():
            begin = index + 1
    return line[begin:]
