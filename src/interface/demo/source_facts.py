"""What can be counted in Python source without running it."""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

# What is not part of a program: tests and what is installed beside it.
_LEFT_OUT = frozenset(["__pycache__", "site-packages", "test", "tests", "idle_test"])
_LONGEST = 3

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def packages(root: Path) -> list[str]:
    """Return the packages below *root*, and its single modules, by their names, sorted."""
    found = [each.name for each in root.iterdir() if _is_package(each)]
    found += [each.name for each in root.glob("*.py")]
    return sorted(found)


def facts_of_package(root: Path, name: str) -> dict[str, Any]:
    """Return what is counted in a package, or in a single module, of *root*.

    The same files give the same facts, whatever the machine and whoever asks.
    """
    start = root / name
    files = [start] if start.suffix == ".py" else sorted(_files(start))
    facts: Counter[str] = Counter(files=len(files))
    imports: Counter[str] = Counter()
    functions: list[tuple[int, str]] = []
    for file in files:
        source = file.read_bytes()
        facts["lines"] += source.count(b"\n")
        tree = _parse(source)
        if tree is None:
            facts["unreadable"] += 1
            continue
        _count(tree, file.relative_to(root).as_posix(), facts, imports, functions)
    return {
        "package": name,
        **{key: facts[key] for key in _COUNTED},
        "imports": dict(sorted(imports.items())),
        "longest": [
            {"function": where, "lines": lines}
            for lines, where in sorted(functions, key=lambda each: (-each[0], each[1]))[:_LONGEST]
        ],
    }


_COUNTED = ("files", "lines", "unreadable", "classes", "functions", "documented", "undocumented")


def _count(
    tree: ast.Module,
    where: str,
    facts: Counter[str],
    imports: Counter[str],
    functions: list[tuple[int, str]],
) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imports[node.module.partition(".")[0]] += 1
        elif isinstance(node, _Definition):
            is_class = isinstance(node, ast.ClassDef)
            facts["classes" if is_class else "functions"] += 1
            facts["documented" if ast.get_docstring(node, clean=False) else "undocumented"] += 1
            if not is_class:
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                functions.append((length, f"{where}:{node.name}"))


def _parse(source: bytes) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the source's own doubtful escapes
            return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


def _is_package(folder: Path) -> bool:
    return folder.is_dir() and folder.name not in _LEFT_OUT and any(folder.glob("*.py"))


def _files(folder: Path) -> list[Path]:
    return [
        file
        for file in folder.rglob("*.py")
        if not _LEFT_OUT.intersection(file.relative_to(folder).parts)
    ]
