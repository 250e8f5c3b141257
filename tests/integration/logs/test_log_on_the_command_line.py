"""The log of the command line: -v, [log] and --log-form; always on standard error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import holdfast
import pytest

CREW = """
import holdfast

app = holdfast.Registry()

@app.workflow("double")
def double(run):
    return run.step("it", lambda: 42)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a_crew.py").write_text(CREW)
    (tmp_path / "holdfast.toml").write_text('store = "runs.db"\napp = "a_crew:app"\n')
    return tmp_path


def _run(folder: Path, *args: str, **variables: str) -> tuple[str, str]:
    """Run a command in a process of its own; return what it printed, and its standard error."""
    command = [sys.executable, "-m", "holdfast", *args]
    environ = {key: each for key, each in os.environ.items() if not key.startswith("HOLDFAST_")}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**environ, **variables}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_command_when_nothing_is_said_then_silent(folder: Path) -> None:
    assert _run(folder, "start", "double", "w") == ("42\n", "")


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        (["-v"], {}),
        (["--log-form", "json"], {}),
        ([], {"HOLDFAST_LOG_LEVEL": "info"}),
        ([], {"HOLDFAST_VERBOSE": "true", "HOLDFAST_LOG_FORM": "json"}),
    ],
)
def test_command_when_a_log_is_wanted_then_lines_on_standard_error_and_results_on_the_other(
    folder: Path, options: list[str], variables: dict[str, str]
) -> None:
    out, err = _run(folder, *options, "start", "double", "w", **variables)

    assert out == "42\n"
    events = [line["event"] for line in _lines(err)]
    assert events[:2] == ["lease_taken", "attempt_begun"]
    assert "created" not in events
    with holdfast.open(folder / "runs.db") as engine:
        (attempt,) = engine.attempts("w")
    assert {line["correlation_id"] for line in _lines(err)} == {attempt.correlation_id}


def test_command_when_very_verbose_then_each_checkpoint_too(folder: Path) -> None:
    _, err = _run(folder, "start", "double", "w", "-vv")

    assert "created" in [line["event"] for line in _lines(err)]


def test_command_when_the_form_is_for_people_then_so(folder: Path) -> None:
    _, err = _run(folder, "-v", "--log-form", "console", "start", "double", "w")

    assert "[info     ] lease_taken" in err


def test_command_when_the_file_names_a_log_then_appended_to_it_below_the_file(
    folder: Path,
) -> None:
    config = folder / "holdfast.toml"
    config.write_text(config.read_text() + '[log]\nlevel = "info"\nfile = "runs.log"\n')
    (folder / "deep").mkdir()

    assert _run(folder / "deep", "start", "double", "w1") == ("42\n", "")
    assert _run(folder, "start", "double", "w2") == ("42\n", "")

    lines = _lines((folder / "runs.log").read_text())
    assert [line["workflow_id"] for line in lines if line["event"] == "attempt_begun"] == [
        "w1",
        "w2",
    ]


def test_reading_command_when_a_log_is_wanted_then_it_prints_the_same(folder: Path) -> None:
    _run(folder, "start", "double", "w")

    assert _run(folder, "latest", "w", "-v") == _run(folder, "latest", "w")


def test_lines_when_the_handler_has_a_process_of_its_own_then_both_have_the_attempts_correlation_id(
    folder: Path,
) -> None:
    _, err = _run(folder, "-v", "start", "double", "w")

    lines = _lines(err)
    with holdfast.open(folder / "runs.db") as engine:
        (attempt,) = engine.attempts("w")
        events = engine.events(workflow="w")
    assert len({line["actor"] for line in lines}) == 2
    assert {line["correlation_id"] for line in lines} == {attempt.correlation_id}
    assert {each.correlation_id for each in events} == {attempt.correlation_id}


def test_lines_when_a_file_is_named_then_a_handlers_process_appends_to_it_and_prints_none(
    folder: Path,
) -> None:
    _, err = _run(folder, "start", "double", "w", HOLDFAST_LOG_LEVEL="debug", HOLDFAST_LOG_FILE="l")

    assert err == ""
    lines = _lines((folder / "l").read_text())
    assert len({line["actor"] for line in lines}) == 2
    with holdfast.open(folder / "runs.db") as engine:
        assert not engine.attempts("w")[0].output_tail
        numbers = [str(each.checkpoint_id) for each in engine.events() if each.kind == "created"]
    told = [line["checkpoint_id"] for line in lines if line["event"] == "created"]
    assert sorted(told) == sorted(numbers)


def test_step_when_run_by_a_shell_script_then_its_lines_have_the_runs_correlation_id(
    folder: Path,
) -> None:
    step = [sys.executable, "-m", "holdfast", "step", "one", "--", "true"]
    _, err = _run(folder, "run", "w", "--", *step, HOLDFAST_LOG_LEVEL="info")

    lines = _lines(err)
    with holdfast.open(folder / "runs.db") as engine:
        (attempt,) = engine.attempts("w")
    assert len({line["actor"] for line in lines}) == 2
    assert {line["correlation_id"] for line in lines} == {attempt.correlation_id}


def test_step_when_the_run_is_verbose_then_so_is_the_step(folder: Path) -> None:
    step = [sys.executable, "-m", "holdfast", "step", "one", "--", "true"]
    _, quiet = _run(folder, "run", "quiet", "--", *step)
    _, err = _run(folder, "-v", "run", "w", "--", *step)

    assert quiet == ""
    assert len({line["actor"] for line in _lines(err)}) == 2


def test_child_when_the_run_was_given_a_configuration_then_it_has_it_wherever_it_is(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / "other.toml").write_text('store = "other.db"\n[log]\nlevel = "info"\n')
    script = f"cd {elsewhere} && {sys.executable} -m holdfast config --json"

    out, _ = _run(folder, "--config", "other.toml", "run", "w", "--", "sh", "-c", script)

    found = json.loads(out)
    assert found["file"] == str(folder / "other.toml")


def test_lines_when_the_handler_has_a_process_of_its_own_then_they_are_no_output_of_it(
    folder: Path,
) -> None:
    crew = (folder / "a_crew.py").read_text() + "\nimport sys\n"
    crew = crew.replace(
        "    return run.step", "    print('seen', file=sys.stderr)\n    return run.step"
    )
    (folder / "a_crew.py").write_text(crew)

    _, err = _run(folder, "-vv", "start", "double", "w")

    with holdfast.open(folder / "runs.db") as engine:
        assert engine.attempts("w")[0].output_tail == "seen\n"
    lines = [json.loads(line) for line in err.splitlines() if line != "seen"]
    assert len({line["actor"] for line in lines}) == 2, "they are on standard error all the same"
