"""`holdfast doctor`, `backup` and `stats` through the command line, on both stores."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any, NamedTuple

import holdfast
import pytest
from holdfast.interface.cli.main import main

Call = Callable[..., "Done"]
Lose = Callable[[str, int], None]

APP = """
import holdfast

app = holdfast.Registry()

@app.handler("crew")
def crew(run):
    return run.state

@app.handler("poison")
def poison(run):
    raise ValueError("always")
"""


@pytest.fixture(params=["sqlite", "json"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "store.db" if request.param == "sqlite" else "json:store"


@pytest.fixture
def opened(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An engine on the store, in the folder that commands are called in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "care_crew.py").write_text(APP)
    with holdfast.open(target) as engine:
        yield engine


class Done(NamedTuple):
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def call(target: str, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call a command on the store, in this process: a start takes half a second."""

    def do(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as ended:
            main(["--store", target, *arguments])
        return Done(ended.value.code or 0, *capsys.readouterr())  # type: ignore[arg-type]

    return do


@pytest.fixture
def lose(target: str, tmp_path: Path) -> Lose:
    """Take a checkpoint away behind the store's back."""

    def do(workflow_id: str, sequence: int) -> None:
        if target.startswith("json:"):
            pattern = f"store/workflows/*/{workflow_id}/@*/@{sequence:012d}.*"
            next(tmp_path.glob(pattern)).unlink()
            return
        with closing(connect(tmp_path / "store.db", isolation_level=None)) as raw:
            text = (
                "DELETE FROM checkpoints WHERE sequence = ? AND workflow = "
                "(SELECT id FROM workflows WHERE workflow_id = ?)"
            )
            assert raw.execute(text, (sequence, workflow_id)).rowcount == 1

    return do


def test_doctor_when_all_is_well_then_it_tells_what_is_in_force_and_configured(
    opened: holdfast.Engine, call: Call, tmp_path: Path
) -> None:
    opened.checkpoint("w", state={"n": 1})
    (tmp_path / "holdfast.toml").write_text("[retention]\ndays = 7\n")

    done = call("doctor")
    found = json.loads(call("--json", "doctor").stdout)

    assert done.returncode == 0, done.stderr
    assert "durability" in done.stdout
    assert "retention.days = 7.0  (" in done.stdout
    assert "holdfast.toml" in "".join(done.stdout.split())
    assert "engine.write_timeout = 30.0  (default)" in done.stdout
    assert "none among" in done.stdout
    assert found["intact"] is True
    assert {"durability", "schema", "path", "python", "warnings"} <= found["in_force"].keys()
    values = {each["key"]: each for each in found["configuration"]["values"]}
    assert values["retention.days"]["value"] == 7.0
    assert values["engine.lease"]["origin"] == "default"


def test_doctor_when_runs_cannot_be_resumed_then_each_is_named_with_the_reason(
    opened: holdfast.Engine, call: Call, lose: Lose
) -> None:
    opened.checkpoint("nobody", resume_handler="unknown", state={"n": 1})
    opened.checkpoint("fine", resume_handler="crew", state={"n": 1})
    opened.checkpoint("dead", resume_handler="poison", state={"n": 1}, max_retries=0)
    call("--app", "care_crew:app", "recover", "dead", "--force")
    call("--app", "care_crew:app", "recover", "dead", "--force")
    opened.checkpoint("broken", resume_handler="crew", state={"n": 1})
    opened.checkpoint("broken", patch={"n": 2})
    opened.checkpoint("broken", patch={"m": 3})
    opened.close()
    lose("broken", 3)

    done = call("--app", "care_crew:app", "doctor")
    found = json.loads(call("--app", "care_crew:app", "--json", "doctor").stdout)

    assert done.returncode == 5, done.stderr
    blocked = {each["workflow_id"]: " ".join(each["reasons"]) for each in found["blocked"]}
    assert "not registered here" in blocked["nobody"]
    assert "killed" in blocked["dead"]
    assert "broken@3 is missing" in blocked["broken"]
    assert "falls back to broken@2" in blocked["broken"]
    assert "fine" not in blocked
    section = done.stdout.partition("Cannot be resumed\n")[2].partition("\n\n")[0]
    assert all(f"  {name}\n" in section for name in ("nobody", "dead", "broken"))


def test_doctor_when_an_owner_is_gone_then_its_lease_is_named(
    opened: holdfast.Engine, call: Call, tmp_path: Path, target: str
) -> None:
    text = f"import holdfast, os; holdfast.open({target!r}).run('w', handler='crew'); os._exit(1)"
    died = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, check=False)

    done = call("--app", "care_crew:app", "doctor")

    assert died.returncode == 1
    section = done.stdout.partition("nobody carries it on\n")[2]
    assert "  w\n" in section
    assert "under epoch 1 by process " in " ".join(section.split())


def test_doctor_when_something_is_damaged_then_it_ends_with_5_until_it_is_repaired(
    opened: holdfast.Engine, call: Call, lose: Lose
) -> None:
    for n in range(4):
        opened.checkpoint("w", state={"n": n})
    opened.close()
    lose("w", 3)

    sick, repaired, well = (call("doctor", *more) for more in ([], ["--repair"], []))

    assert (sick.returncode, repaired.returncode, well.returncode) == (5, 0, 0), repaired.stderr
    assert "w@4: its parent, checkpoint" in " ".join(sick.stdout.split())
    assert "quarantine" in repaired.stdout
    assert "none among" in well.stdout
    assert call("show", "w@2").returncode == 0


def test_doctor_when_files_are_left_over_then_they_are_listed_and_it_ends_with_0(
    opened: holdfast.Engine, call: Call, tmp_path: Path, target: str
) -> None:
    opened.checkpoint("w")
    opened.close()
    left = [tmp_path / ".holdfast-0123.partial"]
    if target.startswith("json:"):
        left.append(next(tmp_path.glob("store/workflows/*/w")) / "latest.json.tmp")
    else:
        left.append(tmp_path / "store.db-turn")
    for each in left:
        each.touch()

    done = call("doctor")

    assert done.returncode == 0
    section = done.stdout.partition("Worth a look\n")[2].partition("\n\n")[0]
    assert all(each.name in "".join(section.split()) for each in left)


def test_backup_and_stats_when_called_then_they_work_on_either_store(
    opened: holdfast.Engine, call: Call, tmp_path: Path, target: str
) -> None:
    opened.checkpoint("w", state={"n": 1})
    opened.close()

    made, again = call("backup", "copy"), call("backup", "copy")
    counted = json.loads(call("--json", "stats").stdout)

    assert (made.returncode, again.returncode) == (0, 4), made.stderr
    scheme = "json:" if target.startswith("json:") else ""
    with holdfast.open(f"{scheme}{tmp_path / 'copy'}") as engine:
        assert engine.context("w").workflow_state == {"n": 1}
        assert engine.verify().intact
    assert (counted["workflows"], counted["checkpoints"]) == (1, 1)
    assert counted["size"] > 100


def test_doctor_when_the_wal_is_overgrown_then_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with holdfast.open(path) as engine:
        engine.checkpoint("w")
    with closing(connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA wal_autocheckpoint = 0")
        raw.execute("CREATE TABLE other (content)")
        raw.execute("INSERT INTO other VALUES (zeroblob(?))", (70 << 20,))
        raw.execute("DROP TABLE other")
        command = [sys.executable, "-m", "holdfast", "--store", str(path), "doctor"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert "the -wal has " in " ".join(done.stdout.split()), done.stderr


def test_doctor_when_the_marker_of_a_folder_is_damaged_then_it_says_what_belongs_there(
    tmp_path: Path,
) -> None:
    with holdfast.open(f"json:{tmp_path / 'store'}") as engine:
        engine.checkpoint("w")
    marker = tmp_path / "store" / "holdfast.json"
    good = marker.read_text()
    marker.write_text(good.replace("holdfast", "holdfbst"))
    command = [sys.executable, "-m", "holdfast", "--store", f"json:{tmp_path / 'store'}", "doctor"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 5
    assert '{"format": "holdfast", "schema": 1}' in done.stderr
    marker.write_text('{"format": "holdfast", "schema": 1}')
    with holdfast.open(f"json:{tmp_path / 'store'}") as engine:
        assert str(engine.latest("w").id) == "w@1"
    shutil.rmtree(tmp_path / "store")
