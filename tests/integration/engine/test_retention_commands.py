"""purge, consolidate, delete and retain on the command line."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import holdfast
import pytest


def _run(store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "holdfast", "--store", str(store), *arguments]
    return subprocess.run(command, cwd=store.parent, capture_output=True, text=True)


@pytest.fixture
def filled(store: Path) -> Path:
    with holdfast.open(store, durability="process") as engine:
        engine.checkpoint("open/ü", resume_handler="h")
        for number in range(6):
            engine.checkpoint("open/ü", state={"n": number})
            engine.checkpoint("done", state={"n": number})
    return store


def test_purge_when_dry_then_it_says_what_would_go_and_why_the_rest_stays(filled: Path) -> None:
    done = _run(filled, "purge", "--keep", "2", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert "would go" in done.stdout
    line = next(each for each in done.stdout.splitlines() if "open%2Fü" in each)
    assert "5" in line.split()
    assert "1 in flight, 2 recent" in line
    assert "9 checkpoints" in done.stdout
    assert done.stderr == "", "a bar is for terminals"
    with holdfast.open(filled) as engine:
        assert len(engine.list(limit=None)) == 14


def test_purge_when_asked_for_json_then_it_has_the_names_of_the_report(filled: Path) -> None:
    told = json.loads(_run(filled, "purge", "--keep", "2", "--dry-run", "--json").stdout)
    done: Any = json.loads(_run(filled, "--json", "purge", "--keep", "2").stdout)

    assert (told["dry_run"], done["dry_run"]) == (True, False)
    assert done["checkpoints"] == told["checkpoints"] == 9
    assert done["bytes"] == told["bytes"]
    assert {each["workflow_id"]: each["checkpoints"] for each in done["workflows"]} == {
        "done": 4,
        "open/ü": 5,
    }
    assert {"events", "attempts", "consolidated", "looked_at"} <= done.keys()


def test_purge_when_limits_are_given_then_they_are_those_of_python(filled: Path) -> None:
    limits = ("--before", "2000-01-01", "--max-age", "90d", "--max-bytes", "1KB")
    done = _run(filled, "purge", "--workflow-id", "open%2Fü", *limits)
    assert done.returncode == 0, done.stderr
    assert "0 checkpoints" in done.stdout
    done = _run(filled, "purge", "--workflow-id", "done", "--max-age", "0s", "--keep", "2")
    assert "4 checkpoints" in done.stdout
    done = _run(filled, "purge", "--workflow-id", "done", "--max-bytes", "0B")
    assert "1 checkpoint (" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--max-age", "3x"), "3x is no duration"),
        (("--max-age", "90"), "90 what? Write 90d or 90s"),
        (("--max-bytes", "much"), "much is no size"),
        (("--before", "soon"), "soon is no date"),
        (("--keep", "-1"), "--keep"),
    ],
)
def test_purge_when_a_limit_cannot_be_then_it_is_a_usage_error(
    filled: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = _run(filled, "purge", *arguments)

    assert done.returncode == 2
    assert said in done.stderr


def test_limits_when_written_as_the_configuration_reads_them_then_taken(filled: Path) -> None:
    for command in (
        ("purge", "--max-age", "2 weeks", "--dry-run"),
        ("purge", "--max-age", "90 days", "--dry-run"),
        ("stale", "--threshold", "5min"),
        ("recover", "--all", "--timeout", "1h 30min"),
        ("retain", "done", "--days", "30d"),
    ):
        done = _run(filled, *command)
        assert done.returncode == 0, done.stderr
    assert "keeps 30 days" in done.stdout
    refused = _run(filled, "retain", "done", "--days", "many")
    assert "many is no number of days; write 30, 30d or 2 weeks" in refused.stderr


def test_purge_when_the_configuration_has_a_policy_then_it_counts(filled: Path) -> None:
    (filled.parent / "holdfast.toml").write_text("[retention]\ndays = 0\ncount = 3\n")

    assert "3 checkpoints" in _run(filled, "purge", "--workflow-id", "done").stdout


def test_purge_when_something_is_damaged_then_it_says_so_and_ends_with_5(filled: Path) -> None:
    with closing(sqlite3.connect(filled, isolation_level=None)) as raw:
        raw.execute("UPDATE checkpoints SET created_at = 5 WHERE number = 3")

    done = _run(filled, "purge", "--keep", "1")

    assert done.returncode == 5
    assert "damaged" in done.stdout


def test_purge_when_on_a_terminal_then_a_bar_is_drawn_and_the_output_stays_clean(
    filled: Path,
) -> None:
    ours, theirs = pty.openpty()
    # At once: what is over this soon would have no bar.
    program = (
        "from holdfast.interface.cli import main, progress; progress._PATIENCE = 0; main.main()"
    )
    command = [sys.executable, "-c", program, "--store", str(filled), "purge", "--json"]
    with subprocess.Popen(
        [*command, "--keep", "1"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm"},
    ) as process:
        os.close(theirs)
        drawn = b"".join(_until_closed(ours))
        out = process.stdout.read() if process.stdout else b""

    assert b"purge" in drawn
    assert b"of 11 checkpoints" in drawn
    assert b" left" in drawn
    assert json.loads(out)["checkpoints"] == 11


def test_show_when_a_checkpoint_was_purged_then_it_says_when_and_ends_with_3(filled: Path) -> None:
    _run(filled, "purge", "--keep", "1")

    done = _run(filled, "show", "done@2")

    assert done.returncode == 3
    assert "done@2 is not there any more: it was purged at 20" in done.stderr


def test_consolidate_when_run_twice_then_the_second_has_nothing_to_do(filled: Path) -> None:
    assert "done@6 stands for itself now" in _run(filled, "consolidate", "done").stdout
    assert "stood for itself already" in _run(filled, "consolidate", "done").stdout
    assert json.loads(_run(filled, "consolidate", "done", "--json").stdout) == {
        "checkpoint_id": "done@6",
        "changed": False,
    }


def test_delete_when_it_is_open_then_it_is_refused_and_with_force_it_goes(filled: Path) -> None:
    refused = _run(filled, "delete", "open%2Fü")
    assert refused.returncode == 4
    assert "--force" in refused.stderr

    done = _run(filled, "delete", "open%2Fü", "--force")
    assert "open%2Fü is deleted: 8 checkpoints" in done.stdout
    assert _run(filled, "latest", "open%2Fü").returncode == 3


def test_retain_when_said_then_the_workflow_is_held_against_it(filled: Path) -> None:
    assert "keeps 0 days and the newest 4" in (
        _run(filled, "retain", "done", "--days", "0", "--count", "4").stdout
    )
    assert "2 checkpoints" in _run(filled, "purge").stdout
    assert "keeps what the store says" in _run(filled, "retain", "done").stdout


def _until_closed(terminal: int) -> Iterator[bytes]:
    try:
        while part := os.read(terminal, 4096):
            yield part
    except OSError:  # how Linux says that the other end is closed
        pass
