"""The wheel, built and installed into an empty environment, works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder with the wheel, and an environment that it is installed in: one for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "wheel"
    with FileLock(f"{shared}.lock"):
        # Not made elsewhere and moved: its scripts name the place that they were made for.
        if not (shared / "whole").exists():
            shutil.rmtree(shared, ignore_errors=True)
            _make(shared)
            (shared / "whole").touch()
    return shared


def _make(folder: Path) -> None:
    # An sdist, and the wheel from that. Without isolation: what builds them is one of this
    # project's own development dependencies.
    _run("-m", "build", "--no-isolation", "--outdir", folder / "dist")
    assert list((folder / "dist").glob("*.tar.gz"))
    (built,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "environment")
    _install(built, "--python", folder / "environment" / "bin" / "python")


def _install(what: str | Path, *options: str | Path) -> None:
    python = options if options[0] == "--python" else ()
    rest = () if python else options
    _run("-m", "pip", *python, "install", "--quiet", "-c", "constraints.txt", *rest, what)


def _run(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)


@pytest.fixture(scope="module")
def wheel(made: Path) -> Path:
    (built,) = (made / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(made: Path) -> Path:
    return made / "environment" / "bin"


def test_wheel_when_built_then_it_is_one_package_with_types_and_migrations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"holdfast", f"{wheel.name.split('-py3')[0]}.dist-info"}
    assert "holdfast/py.typed" in names
    assert "holdfast/migrations/env.py" in names
    assert "holdfast/testing/fixtures.py" in names
    assert "holdfast/testing/contracts/clock.py" in names
    assert any(name.startswith("holdfast/migrations/versions/0001") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


CREW = """\
from __future__ import annotations

import holdfast

app = holdfast.Registry()


@app.workflow("hello")
def hello(run: holdfast.Run) -> str:
    name = str(run.step("name", str.strip, run.input))
    return str(run.step("greet", "hello {}".format, name))


def main() -> None:
    from holdfast.testing import KillReport, fresh_engine, survives_kills

    with fresh_engine(registry=app) as engine:
        greeting: object = engine.start("hello", workflow_id="w", input="you")
        assert greeting == "hello you"
    report: KillReport = survives_kills(app, "hello", input="you", at_most=4)
    print(report)


if __name__ == "__main__":
    main()
"""


@pytest.fixture
def crew(tmp_path: Path) -> Path:
    (tmp_path / "crew.py").write_text(CREW)
    (tmp_path / "input.json").write_text('"you"')
    return tmp_path


def _said(environment: Path, folder: Path, command: str, **variables: str) -> str:
    program, *arguments = command.split()
    done = subprocess.run(
        [environment / program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": f"{environment}:/usr/bin:/bin", "HOME": str(folder), **variables},
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        (["holdfast demo --help"], "SIGKILL"),
        (["python -m holdfast --version"], "0.1.0"),
        (
            [
                "holdfast --store s.db init",
                "holdfast --store s.db --app crew:app start hello w --input input.json",
                "holdfast --store s.db tree w",
            ],
            "greet",
        ),
        (
            [
                "holdfast --store json:files --app crew:app start hello w --input input.json",
                "holdfast --store json:files latest w --json",
            ],
            "workflow_complete",
        ),
        (["holdfast --store s.db init", "holdfast --store s.db doctor"], "durability"),
        (["holdfast bench save --rounds 5 --depth 5"], "p99"),
    ],
    ids=lambda each: each[-1].partition(" ")[2] if isinstance(each, list) else "",
)
def test_wheel_when_installed_then_its_commands_work(
    environment: Path, crew: Path, commands: list[str], said: str
) -> None:
    outputs = [_said(environment, crew, command) for command in commands]

    assert said in outputs[-1]


def test_wheel_when_there_is_no_pytest_then_workflows_are_killed_all_the_same(
    environment: Path, crew: Path
) -> None:
    said = _said(environment, crew, "python crew.py")

    assert "'hello', killed 4 times at 6 checkpoints, came to the same each time" in said


@pytest.mark.parametrize("module", ["fixtures", "contracts"])
def test_wheel_when_there_is_no_pytest_then_what_needs_it_says_so(
    environment: Path, crew: Path, module: str
) -> None:
    (crew / "wants.py").write_text(
        "try:\n"
        f"    import holdfast.testing.{module}\n"
        "except ModuleNotFoundError as error:\n"
        "    print(error)\n"
    )

    assert "from a checkout, '.[testing]'" in _said(environment, crew, "python wants.py")


def test_wheel_when_there_is_pytest_then_fixtures_and_suites_are_there(
    environment: Path, crew: Path
) -> None:
    more = crew / "more"
    _install("pytest", "--target", more)
    (crew / "conftest.py").write_text('pytest_plugins = ["holdfast.testing.fixtures"]\n')
    (crew / "test_crew.py").write_text(
        "import pytest\n"
        "from holdfast.testing import ManualClock\n"
        "from holdfast.testing.contracts import ClockContract\n"
        "class TestClock(ClockContract):\n"
        "    @pytest.fixture\n"
        "    def clock(self):\n"
        "        return ManualClock()\n"
        "    def let_pass(self, clock, seconds):\n"
        "        clock.advance(seconds)\n"
        "def test_engine(holdfast_engine, holdfast_clock):\n"
        "    holdfast_engine.checkpoint('w', resume_handler='h')\n"
        "    holdfast_clock.advance(3600)\n"
        "    assert len(holdfast_engine.stale()) == 1\n"
    )

    said = _said(environment, crew, "python -m pytest -q -W error", PYTHONPATH=str(more))

    assert re.search(r"\b9 passed", said), said


def test_wheel_when_a_program_is_checked_against_it_then_its_types_are_known(
    environment: Path, crew: Path
) -> None:
    (crew / "wrong.py").write_text(
        "import holdfast\n"
        'with holdfast.open("s.db") as engine:\n'
        '    found: int = engine.latest("w").name\n'
    )
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=cache"]
    checked = subprocess.run(
        [*mypy, "--python-executable", str(environment / "python"), "crew.py", "wrong.py"],
        cwd=crew,
        capture_output=True,
        text=True,
    ).stdout

    assert 'has type "str | None", variable has type "int"' in checked
    assert checked.endswith("Found 1 error in 1 file (checked 2 source files)\n")
