"""The layers: what may import what, and where every file is to be found."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
LAYERS = ["domain", "application", "infrastructure", "interface", "testing"]
# From the inside outwards; infrastructure does not know of use cases, nor they of it.
MAY_IMPORT = {
    "domain": {"domain"},
    "application": {"domain", "application"},
    "infrastructure": {"domain", "infrastructure"},
    "interface": {"domain", "application", "infrastructure", "interface"},
    # What users' tests use: nothing that runs in their programs knows of it.
    "testing": {"domain", "application", "infrastructure", "interface", "testing"},
}
FILES = sorted(SRC.rglob("*.py"))


def _imports(file: Path) -> Iterator[tuple[str, int, str]]:
    """Yield the module, the level and the imported name of every import of a file."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, 0, ""
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.module or "", node.level, alias.name


def _layer_of(parts: tuple[str, ...]) -> str | None:
    return parts[0] if parts and parts[0] in LAYERS else None


@pytest.mark.parametrize("file", FILES, ids=lambda each: str(each.relative_to(SRC)))
def test_imports_when_within_the_package_then_they_are_relative_and_point_inwards(
    file: Path,
) -> None:
    place = file.relative_to(SRC).with_suffix("").parts
    layer = _layer_of(place)
    for module, level, name in _imports(file):
        assert module.partition(".")[0] != "holdfast", f"{file}: import {module} relatively"
        if level == 0 or layer is None:
            continue
        target = place[: len(place) - level] + tuple(module.split(".") if module else [name])
        wanted = _layer_of(target)
        assert wanted is None or wanted in MAY_IMPORT[layer], f"{file} imports {'.'.join(target)}"


@pytest.mark.parametrize(
    "file", sorted((SRC / "domain").rglob("*.py")), ids=lambda each: str(each.relative_to(SRC))
)
def test_domain_when_it_imports_then_only_the_standard_library(file: Path) -> None:
    for module, level, _ in _imports(file):
        assert level or module.partition(".")[0] in sys.stdlib_module_names, f"{file}: {module}"


def test_domain_when_looked_through_then_it_reads_no_clock_and_does_no_io() -> None:
    forbidden = {"time", "random", "os", "socket", "sqlite3", "logging", "threading", "subprocess"}
    ports = SRC / "domain" / "ports"
    for file in (SRC / "domain").rglob("*.py"):
        modules = {module.partition(".")[0] for module, level, _ in _imports(file) if not level}
        # A port may name a type of the standard library in its promise.
        allowed = {"threading"} if file.parent == ports else set()
        assert not modules & (forbidden - allowed), file
        assert ".now(" not in file.read_text() and "utcnow" not in file.read_text(), file


def test_adapters_when_looked_for_then_only_bootstrap_names_them() -> None:
    for file in (SRC / "interface").rglob("*.py"):
        if file.name == "bootstrap.py":
            continue
        for module, level, _ in _imports(file):
            named = level and "infrastructure" in module.split(".")
            assert not named, f"{file} names an adapter: {module}"


def test_importpath_when_compared_with_src_then_every_entry_has_its_link() -> None:
    links = ROOT / ".importpath" / "holdfast"
    entries = {each.name for each in SRC.iterdir() if each.name != "__pycache__"} | {"migrations"}
    assert {each.name for each in links.iterdir() if each.name != "__pycache__"} == entries
    for name in entries:
        target = ROOT / "migrations" if name == "migrations" else SRC / name
        assert (links / name).is_symlink()
        assert (links / name).resolve() == target.resolve()


def test_files_when_measured_then_each_has_one_idea() -> None:
    # The tree of errors is one idea in one file, drawn in its docstring, however long.
    measured = [file for file in FILES if file.name != "errors.py"]
    longest = {file: len(file.read_text().splitlines()) for file in measured}
    assert {str(file): lines for file, lines in longest.items() if lines > 350} == {}
