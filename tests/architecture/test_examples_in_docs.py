"""Every example in docstrings, README and docs runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import holdfast
import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# A fenced block runs when it says so: ```python run, or ```console run
_BLOCK = re.compile(
    r"^```(?P<kind>python|console) run\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)
MODULES = sorted(
    name
    for _, name, _ in pkgutil.walk_packages(holdfast.__path__, "holdfast.")
    if "migrations" not in name and not name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_docstrings_when_they_have_examples_then_they_run(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.failed == 0


def _blocks(kind: str) -> list[object]:
    return [
        pytest.param(match["text"], page, id=f"{page.relative_to(ROOT)}:{number}")
        for page in PAGES
        for number, match in enumerate(_BLOCK.finditer(page.read_text()), 1)
        if match["kind"] == kind
    ]


def _files_of(page: Path) -> dict[str, str]:
    """Return the examples of a page that say in their first line which file they are."""
    texts = [each["text"] for each in _BLOCK.finditer(page.read_text())]
    named = [(re.match(r"# (\w+\.py)\n", text), text) for text in texts]
    return {found[1]: text for found, text in named if found}


@pytest.mark.parametrize(("text", "page"), _blocks("python"))
def test_python_example_when_run_in_an_empty_folder_then_it_ends_well(
    text: str,
    page: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "example.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_example_when_run_twice_then_it_ends_well_and_says_the_same(
    example: Path, tmp_path: Path
) -> None:
    said = [
        subprocess.run(
            [sys.executable, example], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert said[0] == said[1] != ""


@pytest.mark.parametrize(("text", "page"), _blocks("console"))
def test_console_example_when_typed_beside_the_files_of_its_page_then_it_prints_what_it_says(
    text: str, page: Path, tmp_path: Path
) -> None:
    """Lines after ``$`` are typed, the others are what comes; ``...`` stands for anything."""
    for name, content in _files_of(page).items():
        (tmp_path / name).write_text(content)
    binaries = str(Path(sys.executable).parent)
    for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": f"{binaries}:/usr/bin:/bin", "HOME": str(tmp_path)},
        )
        said = done.stdout
        pattern = re.escape(expected.strip()).replace(re.escape("..."), ".*")
        assert re.fullmatch(pattern, said.strip(), re.DOTALL), f"$ {command}\n{said}"
