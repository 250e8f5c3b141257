"""The units, the crontab and the container of examples/deploy: what they call works."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import holdfast
import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "examples" / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
BINARIES = Path(sys.executable).parent


def _read(unit: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit.read_text())
    return parser


def _commands() -> dict[str, str]:
    """Return what ends by itself, as a shell is given it, by where it stands."""
    services = {unit.name: _read(unit)["Service"] for unit in DEPLOY.glob("*.service")}
    once = {
        name: service["ExecStart"]
        for name, service in services.items()
        if service.get("Type") == "oneshot"
    }
    lines = re.findall(r"(?m)^[\d*/ ,-]+ {2,}(.+)$", (DEPLOY / "crontab").read_text())
    return {**once, **{f"crontab:{number}": line for number, line in enumerate(lines)}}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder that stands for /srv/crew, with a store in it."""
    shutil.copy(ROOT / "examples" / "crew.py", tmp_path)
    text = (DEPLOY / "holdfast.toml").read_text().replace("/var/lib/crew/", "")
    (tmp_path / "holdfast.toml").write_text(text)
    with holdfast.open(tmp_path / "crew.db") as engine:
        engine.checkpoint("crew-1", state={"notes": 1})
    return tmp_path


def test_commands_when_looked_for_then_units_and_crontab_have_some() -> None:
    assert len(_commands()) == 4
    assert len(UNITS) == 5


@pytest.mark.parametrize("name", sorted(_commands()))
def test_command_when_run_as_systemd_or_cron_would_then_it_ends_well(
    place: Path, name: str
) -> None:
    (place / ".venv").symlink_to(BINARIES.parent)
    command = _commands()[name].replace("/srv/crew", str(place))
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HOLDFAST_")}
    done = subprocess.run(
        ["sh", "-c", command], cwd=place, env=kept, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)
def test_units_when_verified_by_systemd_then_it_has_nothing_to_say(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text().replace("/srv/crew/.venv/bin", str(BINARIES))
        (tmp_path / unit.name).write_text(text.replace("User=crew", "User=root"))
    done = subprocess.run(
        ["systemd-analyze", "verify", *(f"./{unit.name}" for unit in UNITS)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    # Warnings end with 0, too. About units of the host's own it may say what it likes.
    ours = [line for line in done.stderr.splitlines() if "crew-" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_when_read_then_what_it_names_is_there(unit: Path) -> None:
    parsed = _read(unit)
    assert f"/etc/systemd/system/{unit.name}" in unit.read_text()
    if unit.suffix == ".timer":
        assert unit.with_suffix(".service").exists()
        assert parsed["Install"]["WantedBy"] == "timers.target"
    else:
        program, command, *_ = shlex.split(parsed["Service"]["ExecStart"])
        assert Path(program).name == "holdfast"
        assert command in ("supervise", "purge")


def test_grace_when_compared_then_systemd_and_the_container_allow_more() -> None:
    config = holdfast.Configuration.load(DEPLOY / "holdfast.toml")
    service = _read(DEPLOY / "crew-supervise.service")["Service"]
    (container,) = re.findall(r"stop_grace_period: (\d+)s", (DEPLOY / "compose.yaml").read_text())
    assert config.supervise.grace < int(service["TimeoutStopSec"])
    assert config.supervise.grace < int(container)


def test_container_when_its_files_are_looked_for_then_they_are_there() -> None:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if re.match("[A-Z]", line)]
    known = {"FROM", "COPY", "RUN", "WORKDIR", "USER", "VOLUME", "STOPSIGNAL", "CMD"}
    assert {word for word, _ in lines} <= known
    for source in [each for word, rest in lines if word == "COPY" for each in rest.split()[:-1]]:
        assert (ROOT / source).exists(), source
    (command,) = [json.loads(rest) for word, rest in lines if word == "CMD"]
    assert command == ["holdfast", "supervise"]
    (volume,) = [rest for word, rest in lines if word == "VOLUME"]
    store = holdfast.Configuration.load(DEPLOY / "holdfast.toml").store
    assert store is not None
    assert store.startswith(volume + "/")
    assert "dockerfile: examples/deploy/Dockerfile" in (DEPLOY / "compose.yaml").read_text()
