"""The help: each command with examples, and examples that can be typed."""

from __future__ import annotations

import shlex

import click
import pytest
from holdfast.interface.cli.examples import EXAMPLES
from holdfast.interface.cli.main import COMMANDS, SECTIONS, main
from holdfast.interface.cli.main import holdfast as group
from holdfast.interface.cli.shell import Shell

LINES = [(name, line) for name, lines in EXAMPLES.items() for line in lines]


def test_examples_when_listed_then_every_command_has_some() -> None:
    assert set(EXAMPLES) == set(COMMANDS)
    assert all(EXAMPLES.values())
    assert sum(map(len, SECTIONS.values())) == len(COMMANDS)


@pytest.mark.parametrize(("name", "line"), LINES, ids=lambda each: each)
def test_example_when_typed_then_its_command_takes_it(
    name: str, line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr("holdfast.interface.cli.arguments.Path.read_bytes", lambda _: b"{}")
    root = group.make_context("holdfast", shlex.split(line), obj=Shell())
    assert isinstance(root.command, click.Group)
    found, command, rest = root.command.resolve_command(root, [*root._protected_args, *root.args])
    assert found == name
    assert command is not None
    command.make_context(name, rest, parent=root).close()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_when_asked_then_examples_stand_below_it_whole(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])

    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for line in EXAMPLES[name]:
        assert f"    holdfast {line}\n" in shown
