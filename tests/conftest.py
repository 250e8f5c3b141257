"""Counts what runs over which kind of store: whatever is promised of both is tried on both.

A test is of a kind of store when it is parametrised with one (by ``sqlite``, ``json`` or
``memory``), or when its class is a contract for one (``TestSqlite…``, ``TestJson…``,
``TestMemory…``). What is about the mechanism of one store alone is parametrised with none.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

KINDS = ("sqlite", "json", "memory")
_CLASS = re.compile(r"Test(Sqlite|Json(?:File)?|Memory)(?!Codec)(?=[A-Z])")
_FOLDERS = ("contracts", "property", "concurrency", "crash", "integration")
_NAME = "store"
# Arguments whose values are words like these, and no stores.
_NO_STORES = {"form", "key", "name"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note of each test which kind of store it is over, and refuse one that leaves one out."""
    found: dict[str, set[str]] = defaultdict(set)
    for item in items:
        kind, rest = _kind_of(item)
        if kind is not None:
            item.user_properties.append((_NAME, f"{kind} {_folder_of(item)}"))
            found[rest].add(kind)
    missing = sorted(
        rest for rest, kinds in found.items() if kinds & {"sqlite", "json"} == {"json"}
    )
    missing += sorted(rest for rest, kinds in found.items() if "json" not in kinds >= {"sqlite"})
    if missing and _is_whole(config):
        raise pytest.UsageError("over one kind of store alone:\n  " + "\n  ".join(missing))


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print how many tests passed over each kind of store."""
    passed = _counted(terminalreporter, "passed")
    skipped = _counted(terminalreporter, "skipped").total()
    if not passed and not skipped:
        return
    terminalreporter.section("tests over each kind of store")
    for folder in _FOLDERS:
        counts = [f"{kind} {passed[kind, folder]:5}" for kind in KINDS]
        if any(passed[kind, folder] for kind in KINDS):
            terminalreporter.write_line(f"{folder:12} {'   '.join(counts)}")
    if skipped:
        terminalreporter.write_line(f"skipped      {skipped}, for the reasons above", yellow=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a run of the whole suite fail in which one kind of store passed fewer tests."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    is_worker = hasattr(session.config, "workerinput")
    if is_worker or not isinstance(reporter, TerminalReporter) or not _is_whole(session.config):
        return
    passed = _counted(reporter, "passed")
    unequal = [each for each in _FOLDERS if passed["sqlite", each] != passed["json", each]]
    if unequal and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"unequal over sqlite and json: {', '.join(unequal)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _kind_of(item: pytest.Item) -> tuple[str | None, str]:
    """Return the kind of store that a test is over, and what it is called without that."""
    if not isinstance(item, pytest.Function):
        return None, ""
    folder, _, name = item.nodeid.partition("::")
    by_class = _CLASS.match(name)
    if by_class is not None:
        own = item.cls is not None and item.originalname in vars(item.cls)
        kind = by_class[1].lower().removesuffix("file")
        return (None, "") if own else (kind, f"{folder}::{name[by_class.end() :]}")
    given = item.callspec.params.items() if hasattr(item, "callspec") else ()
    kinds = [value for argument, value in given if value in KINDS and argument not in _NO_STORES]
    if len(kinds) != 1:
        return None, ""
    parameters = item.callspec.id.split("-")
    parameters.remove(kinds[0])
    return kinds[0], f"{folder}::{name.partition('[')[0]}[{'-'.join(parameters)}]"


def _folder_of(item: pytest.Item) -> str:
    parts = Path(item.nodeid.partition("::")[0]).parts
    return next((each for each in _FOLDERS if each in parts), "integration")


def _counted(reporter: TerminalReporter, outcome: str) -> Counter[tuple[str, str]]:
    return Counter(
        (kind, folder)
        for report in reporter.stats.get(outcome, [])
        for kind, folder in _stores_of(report)
    )


def _stores_of(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    for name, value in report.user_properties:
        if name == _NAME:
            kind, _, folder = str(value).partition(" ")
            yield kind, folder


def _is_whole(config: pytest.Config) -> bool:
    """Whether this is a run of all that there is."""
    args = [Path(each.rstrip("/")).name for each in config.args]
    return args == ["tests"] and not config.option.keyword and not config.option.lf
