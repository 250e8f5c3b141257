"""What the source must not do, wherever it stands: stored data is data."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "migrations").rglob("*.py")])
NAMES = [str(each.relative_to(ROOT)) for each in FILES]

# They make objects, and so may run anything, of bytes.
MAKERS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "jsonpickle"}

# Who imports by a name, and where that name is from: never from a store.
IMPORTERS = {
    "src/__init__.py": "the table of public names",
    "src/testing/contracts/__init__.py": "the table of contract suites",
    "src/testing/nursery.py": "a list of modules of this package",
    "src/testing/whereabouts.py": "the test that kills a workflow, through a pipe",
    "src/interface/cli/lazy_group.py": "the table of commands",
    "src/interface/cli/program.py": "--app, which whoever calls the command line gives",
    "src/interface/isolation/launching.py": "the registry of the program that starts a handler",
    "src/infrastructure/processes/guard.py": "the process that started it, through a pipe",
}

# SQL that is put together within a function, and of what: constants, or names that are quoted.
PUT_TOGETHER = {
    ("src/infrastructure/sqlite/connection.py", "_prepare"): "numbers of this module",
    ("src/infrastructure/sqlite/connection.py", "modes_in_force"): "a list of pragmas beside it",
    ("src/infrastructure/sqlite/care_statements.py", "select_rows"): "a table of the file, quoted",
    ("src/infrastructure/sqlite/care_statements.py", "select_row"): "a table of the file, quoted",
    ("src/infrastructure/sqlite/care_statements.py", "delete_row"): "a table of the file, quoted",
    ("src/infrastructure/sqlite/care_statements.py", "update_row"): "names in the file, quoted",
    ("src/infrastructure/sqlite/care_statements.py", "reindex"): "an index of the file, quoted",
    ("src/infrastructure/sqlite/landing.py", "_write_over"): "a number, as SQLite gave it",
    ("src/infrastructure/sqlite/space.py", "truncate_log"): "one of two words beside it",
    ("src/infrastructure/sqlite/statements.py", "select_matching"): "texts of that function",
    ("src/infrastructure/sqlite/upgrade.py", "upgrade"): "two numbers in `format`",
}

SQL = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|ATTACH|PRAGMA|VACUUM|WITH|REPLACE|REINDEX)\b"
)


def _tree(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def _calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("name", NAMES)
def test_module_when_read_then_it_makes_no_objects_of_bytes_and_runs_no_text(name: str) -> None:
    tree = _tree(name)

    assert not MAKERS & set(_imported(tree))
    called = {call for call, _ in _calls(tree)}
    assert not called & {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}
    assert not any(keyword.arg == "shell" for _, node in _calls(tree) for keyword in node.keywords)


def test_modules_when_they_import_by_a_name_then_it_is_never_one_from_a_store() -> None:
    found = {
        name
        for name in NAMES
        if any(call.endswith("import_module") for call, _ in _calls(_tree(name)))
    }

    assert found == set(IMPORTERS)


def test_sql_when_put_together_then_never_of_values() -> None:
    """Values go in as parameters: any other place is to be looked at, and named here with why."""
    found = {each for name in NAMES for each in _put_together(name)}

    assert found == set(PUT_TOGETHER)


def _put_together(name: str) -> Iterator[tuple[str, str]]:
    tree = _tree(name)
    around = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if not SQL.match(_text_of(node)):
            continue
        function: ast.AST | None = node
        while function is not None and not isinstance(function, ast.FunctionDef):
            function = around.get(function)
        if isinstance(function, ast.FunctionDef):  # else of the module's own constants
            yield name, function.name


def _text_of(node: ast.AST) -> str:
    """Return the literal part of a text that is put together; nothing for another node."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
        return str(node.left.value) if isinstance(node.left, ast.Constant) else ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        inner = node.func.value
        if node.func.attr == "format" and isinstance(inner, ast.Constant):
            return str(inner.value)
    return ""
