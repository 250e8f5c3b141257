"""The wheel, built and installed into an empty environment, works."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    # Without isolation: what builds it is one of this project's own development dependencies.
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    subprocess.run(
        [folder / "bin" / "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel],
        check=True,
        capture_output=True,
    )
    return folder / "bin"


def test_wheel_when_built_then_it_is_one_package_with_types_and_migrations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"holdfast", f"{wheel.name.split('-py3')[0]}.dist-info"}
    assert "holdfast/py.typed" in names
    assert "holdfast/migrations/env.py" in names
    assert any(name.startswith("holdfast/migrations/versions/0001") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_wheel_when_installed_then_import_and_command_work(
    environment: Path, tmp_path: Path
) -> None:
    (tmp_path / "crew.py").write_text(
        "import holdfast\n"
        "app = holdfast.Registry()\n"
        "@app.workflow('hello')\n"
        "def hello(run):\n"
        "    return run.step('greet', lambda name: f'hello {name}', run.input)\n"
    )
    (tmp_path / "input.json").write_text('"you"')
    steps = [
        ["holdfast", "--store", "s.db", "init"],
        ["holdfast", "--store", "s.db", "--app", "crew:app", "start", "hello", "w"]
        + ["--input", "input.json"],
        ["holdfast", "--store", "s.db", "tree", "w"],
        ["python", "-m", "holdfast", "--version"],
    ]
    said = [
        subprocess.run(
            [environment / step[0], *step[1:]],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for step in steps
    ]
    assert said[1] == '"hello you"\n'
    assert "greet" in said[2]
    assert "0.1.0" in said[3]
