"""The configuration on the command line: every command reads it, `config` shows it."""

from __future__ import annotations

import json
from pathlib import Path

import holdfast
import pytest
from holdfast.interface.cli.main import main

from .conftest import Cli

CREW = """
import holdfast

app = holdfast.Registry()

@app.workflow("double")
def double(run):
    return run.input * 2
"""


@pytest.fixture
def project(folder: Path) -> Path:
    """Return a folder with a program and a configuration that names it, and a store."""
    (folder / "a_crew.py").write_text(CREW)
    (folder / "holdfast.toml").write_text('store = "runs.db"\napp = "a_crew:app"\n')
    holdfast.open(folder / "runs.db").close()
    return folder


def test_command_when_the_file_names_store_and_app_then_no_option_is_needed(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "input.json").write_text("21")
    (project / "deep").mkdir()
    monkeypatch.chdir(project / "deep")

    ended = cli("start", "double", "w", "--input", "../input.json")

    assert (ended.code, ended.out) == (0, "42\n")
    with holdfast.open(project / "runs.db") as engine:
        assert engine.get("w@1").output is None


def test_command_when_an_option_is_given_then_it_goes_before_variable_and_file(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_STORE", "variable.db")

    ended = cli("--store", "option.db", "config", "--json")

    values = {each["key"]: each for each in json.loads(ended.out)["values"]}
    assert values["store"] == {"key": "store", "value": "option.db", "origin": "--store"}
    assert values["json"]["origin"] == "--json"
    assert values["app"]["origin"] == "holdfast.toml:2"
    assert values["engine.lease"] == {"key": "engine.lease", "value": 60.0, "origin": "default"}


def test_command_when_json_is_configured_then_every_command_prints_it(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_JSON", "on")

    assert json.loads(cli("workflows").out) == []


def test_command_when_settings_are_configured_then_the_engine_has_them(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "state.json").write_text('{"a": "' + "x" * 100 + '"}')
    monkeypatch.setenv("HOLDFAST_ENGINE_MAX_STATE_BYTES", "50")

    ended = cli("checkpoint", "w", "--state", "state.json")

    assert ended.code == 1
    assert "the limit is 50 bytes" in ended.err


@pytest.mark.parametrize(
    "command",
    [["workflows"], ["stale"], ["recover", "w"], ["config"], ["init"], ["checkpoint", "w"]],
    ids=lambda each: each[0],
)
def test_command_when_the_file_is_wrong_then_2_and_one_clear_line(
    project: Path, cli: Cli, command: list[str]
) -> None:
    (project / "holdfast.toml").write_text('[log]\nlevle = "info"')

    ended = cli("--store", "runs.db", *command)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("holdfast: holdfast.toml:2: log.levle = 'info': there is no such")
    assert "did you mean log.level?" in ended.err


def test_command_when_a_config_file_is_named_then_read(project: Path, cli: Cli) -> None:
    (project / "other.toml").write_text("[engine]\nlease = 7")

    for ended in (cli("--config", "other.toml", "config"), cli("config", "--config", "other.toml")):
        assert "configuration file: " in ended.out
        assert "other.toml:2" in ended.out


def test_command_when_an_engine_of_another_store_than_configured_then_the_origin_is_named(
    project: Path, cli: Cli
) -> None:
    text = 'import holdfast\n\ndef make():\n    return holdfast.open("mine.db")\n'
    (project / "an_engine.py").write_text(text)

    ended = cli("--app", "an_engine:make", "workflows")

    assert ended.code == 2
    assert "holdfast.toml:1 says" in ended.err


def test_config_when_nothing_is_configured_then_defaults_are_shown(folder: Path, cli: Cli) -> None:
    ended = cli("config")

    assert ended.code == 0
    assert "# configuration file: none" in ended.out
    assert "retention.count" in ended.out


def test_config_when_printed_then_it_can_be_read_as_a_file_again(project: Path, cli: Cli) -> None:
    (project / "copy.toml").write_text(cli("config").out)

    copied = holdfast.Configuration.load(project / "copy.toml", environ={})

    assert copied.store == str(project / "runs.db")
    assert copied.engine == holdfast.Settings()


def test_help_when_the_file_is_wrong_then_shown_all_the_same(folder: Path) -> None:
    (folder / "holdfast.toml").write_text("nonsense")

    with pytest.raises(SystemExit) as caught:
        main(["--help"])

    assert not caught.value.code


def test_handler_when_it_is_a_configured_command_then_it_carries_on(
    project: Path, cli: Cli
) -> None:
    (project / "publish").write_text("#!/bin/sh\ncat > context.json\necho $HOLDFAST_RUN_WORKFLOW\n")
    (project / "publish").chmod(0o700)
    config = project / "holdfast.toml"
    config.write_text(config.read_text() + '[handlers.publish]\ncommand = ["./publish"]\n')
    with holdfast.open(project / "runs.db") as engine:
        engine.checkpoint("w", state={"n": 3}, resume_handler="publish")

    ended = cli("recover", "w")

    assert ended.code == 0, ended.err
    assert json.loads((project / "context.json").read_text())["workflow_state"] == {"n": 3}
    with holdfast.open(project / "runs.db") as engine:
        assert engine.attempts("w")[0].output_tail == "w\n"


def test_handler_when_the_program_has_one_of_that_name_then_said(project: Path, cli: Cli) -> None:
    config = project / "holdfast.toml"
    config.write_text(config.read_text() + '[handlers.double]\ncommand = ["true"]\n')

    ended = cli("workflows")

    assert ended.code == 2
    assert "'double' is registered already" in ended.err
