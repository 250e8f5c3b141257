"""`holdfast doctor`, `diff`, `show --raw`, `backup` and `stats`, as people call them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import holdfast
import pytest

Behind = Callable[..., list[Any]]
FLIGHT = "workflow = (SELECT id FROM workflows WHERE workflow_id = 'flight')"


def _call(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "holdfast", "--store", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=path.parent)


def test_doctor_when_nothing_is_damaged_then_it_tells_what_is_in_force_and_ends_with_0(
    path: Path,
) -> None:
    done = _call(path, "--json", "doctor")

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["intact"] is True
    assert found["in_force"]["durability"] == "power"
    assert found["in_force"]["journal_mode"] == "wal"
    assert {"holdfast", "sqlite", "python", "schema", "path"} <= found["in_force"].keys()
    assert any(each["key"] == "store" for each in found["configuration"]["values"])
    blocked = {each["workflow_id"]: each["reasons"] for each in found["blocked"]}
    assert "not registered here" in blocked["flight"][0]
    assert "done" not in blocked and "record" not in blocked


def test_doctor_when_a_row_is_damaged_then_it_ends_with_5_until_it_is_repaired(
    path: Path, behind: Behind
) -> None:
    behind(f"UPDATE checkpoints SET error = 'other' WHERE sequence = 101 AND {FLIGHT}")  # noqa: S608
    behind(f"UPDATE checkpoints SET error = 'other' WHERE sequence = 90 AND {FLIGHT}")  # noqa: S608

    sick, repaired, well = (_call(path, "doctor", *more) for more in ([], ["--repair"], []))

    assert (sick.returncode, repaired.returncode, well.returncode) == (5, 0, 0), repaired.stderr
    assert "checkpoint flight@90: its seal does not match" in sick.stdout
    assert "quarantine" in repaired.stdout
    assert "none among" in well.stdout


@pytest.mark.parametrize("form", ["sqlite", "json"])
def test_counting_when_several_commands_count_one_store_then_they_agree(
    path: Path, folder: Path, tmp_path: Path, form: str
) -> None:
    target = str(path) if form == "sqlite" else f"json:{folder}"
    with holdfast.open(target) as engine:
        engine.purge(keep=1)  # which leaves a lease of the store's own
        events = len(engine.events(limit=10_000))
        checked = engine.verify().checked

        assert engine.stats().events == checked["events"] == events
        assert checked["leases"] == 2

    def said(*arguments: str) -> str:
        command = [sys.executable, "-m", "holdfast", "--store", target, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        return " ".join(done.stdout.split())

    assert f" events {events} " in said("stats")
    assert f" {events} events, 2 leases" in said("doctor").replace("2 attempts, ", "")
    for text in (said("export", "all.jsonl"), said("export", "json:copy")):
        assert f" {events} events, 2 attempts, 2 leases" in text


def test_doctor_when_a_reader_pins_the_wal_then_it_is_named(path: Path) -> None:
    with closing(connect(path, isolation_level=None)) as reader, holdfast.open(path) as engine:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM checkpoints").fetchone()
        engine.checkpoint("record", state={"n": 9})
        warnings = json.loads(_call(path, "--json", "doctor").stdout)["in_force"]["warnings"]

    assert any("cannot be moved into the file" in each for each in warnings)


def test_doctor_when_a_turn_file_is_left_over_then_it_is_named(path: Path) -> None:
    path.with_name(f"{path.name}-turn").touch()

    assert "-turn is left over" in _call(path, "doctor").stdout


def test_diff_when_states_differ_then_each_path_is_told(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with holdfast.open(path) as engine:
        engine.checkpoint("w", state={"kept": 1, "gone": [1], "a b": {"x": 1, "l": [1, 2]}})
        engine.checkpoint("w", state={"kept": 1, "new": None, "a b": {"x": 1.0, "l": [1]}})
        found = {each.path: each.change for each in engine.diff("w@1", "w@2")}
        assert engine.diff("w@1", "w@1") == []

    assert {key: value for key, value in found.items() if key.startswith("state")} == {
        "state.gone": "removed",
        "state.new": "added",
        'state["a b"].x': "changed",
        'state["a b"].l[1]': "removed",
    }
    assert found["context.workflow_state.new"] == "added"
    done = _call(path, "diff", "w@1", "w@2")
    assert "+ state.new: null" in done.stdout.splitlines()
    assert json.loads(_call(path, "--json", "diff", "w@1", "w@2").stdout)["differences"]


def test_show_when_raw_then_it_is_json_of_what_it_stores(path: Path) -> None:
    found = json.loads(_call(path, "show", "--raw", "record@5").stdout)

    assert found["state"] == {"n": 4}
    assert "workflow" not in found


def test_backup_when_called_twice_then_the_second_is_refused(path: Path) -> None:
    first, second = (_call(path, "backup", "copy.db") for _ in range(2))

    assert (first.returncode, second.returncode) == (0, 4)
    assert _call(path.parent / "copy.db", "doctor").returncode == 0


def test_stats_when_called_then_it_counts(path: Path) -> None:
    assert json.loads(_call(path, "--json", "stats").stdout)["workflows"] == 4
    assert "checkpoints" in _call(path, "stats").stdout
