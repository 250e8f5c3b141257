"""What is imported, and what is not: starting is quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import holdfast
import pytest

HEAVY = ("sqlalchemy", "alembic", "pydantic", "structlog")
COMMANDS = [
    ["workflows"],
    ["list"],
    ["show", "wf@1"],
    ["tree", "wf"],
    ["context", "wf"],
    ["latest", "wf", "--json"],
    ["attempts", "wf"],
    ["events"],
    ["stale"],
]


def _loaded(code: str) -> set[str]:
    """Run code in a fresh interpreter; return the top-level modules it has loaded."""
    script = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def _command(arguments: list[str]) -> str:
    return (
        "from holdfast.interface.cli.main import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert not end.code, end.code"
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("start-up") / "store.db"
    with holdfast.open(path) as engine:
        engine.checkpoint("wf", state={"a": 1}, resume_handler="h")
    return path


def test_import_when_nothing_is_used_then_nothing_heavy_is_loaded() -> None:
    loaded = _loaded("import holdfast")
    assert not loaded & {*HEAVY, "sqlite3", "asyncio", "click", "rich", "orjson"}


def test_help_when_asked_then_nothing_heavy_is_loaded() -> None:
    loaded = _loaded(_command(["--help"]))
    assert not loaded & {*HEAVY, "sqlite3", "asyncio", "rich", "orjson"}


def test_help_when_asked_then_nothing_of_the_core_is_loaded() -> None:
    told = "print(*[each for each in sys.modules if each.startswith('holdfast.')])"
    done = subprocess.run(
        [sys.executable, "-c", f"{_command(['--help'])}\nimport sys\n{told}"],
        capture_output=True,
        text=True,
        check=True,
    )
    layers = {each.split(".")[1] for each in done.stdout.splitlines()[-1].split()}
    assert layers == {"interface"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each[0])
def test_reading_command_when_run_then_nothing_heavy_is_loaded(
    store: Path, command: list[str]
) -> None:
    loaded = _loaded(_command(["--store", str(store), *command]))
    assert "sqlite3" in loaded, "the command did read the store"
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("variable", ["HOLDFAST_STORE", "HOLDFAST_RUN_TOKEN"])
def test_reading_command_when_only_plain_variables_are_set_then_nothing_checks_them(
    store: Path, variable: str
) -> None:
    setting = f"import os\nos.environ[{variable!r}] = {str(store)!r}\n"
    loaded = _loaded(setting + _command(["--store", str(store), "latest", "wf"]))
    assert not loaded & {*HEAVY, "tomllib"}


@pytest.mark.parametrize(
    ("more", "heavy"),
    [("", set()), ("\n[engine]\nlease = 20", {"pydantic"})],
    ids=["plain", "more"],
)
def test_reading_command_when_there_is_a_file_then_it_is_checked_by_no_more_than_it_takes(
    store: Path, tmp_path: Path, more: str, heavy: set[str]
) -> None:
    (tmp_path / "holdfast.toml").write_text(f'store = "{store}"{more}')
    moving = f"import os\nos.chdir({str(tmp_path)!r})\n"
    loaded = _loaded(moving + _command(["latest", "wf"]))
    assert "tomllib" in loaded
    assert loaded & set(HEAVY) == heavy


def test_command_when_it_is_verbose_then_logs_are_loaded_and_no_checks(store: Path) -> None:
    loaded = _loaded(_command(["--store", str(store), "-v", "latest", "wf"]))
    assert "structlog" in loaded
    assert not loaded & (set(HEAVY) - {"structlog"})


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each[0])
def test_reading_command_when_run_then_nothing_that_starts_processes_is_loaded(
    store: Path, command: list[str]
) -> None:
    code = _command(["--store", str(store), *command])
    told = "print(*[each for each in sys.modules if 'isolation' in each or 'processes.' in each])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\n{told}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == ""


def test_store_when_it_is_up_to_date_then_opening_it_for_writing_loads_no_upgrade(
    store: Path,
) -> None:
    code = f"import holdfast\nholdfast.open({str(store)!r}).checkpoint('wf', state={{}})"
    assert not _loaded(code) & {"sqlalchemy", "alembic"}
