"""Runs tests against a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COPIED = (".importpath", "src", "migrations", "tests", "examples", "docs", "pyproject.toml")
_COPIED_TOO = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "Makefile")
_PATIENCE = 600.0
_TESTS_FAILED = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """What tests came to.

    Attributes:
        is_red: whether a test failed; an error before any test ran is none.
        told: the first test that failed, or the end of what pytest printed.
    """

    is_red: bool
    is_green: bool
    seconds: float
    told: str


def copy_tree(to: Path) -> None:
    """Copy what the tests need."""
    for name in (*_COPIED, *_COPIED_TOO):
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, to / name, symlinks=True, ignore=ignored)
        elif source.exists():
            shutil.copy(source, to / name)


def run_tests(root: Path, tests: Iterable[str]) -> Trial:
    """Run tests in the tree at *root*, up to the first that fails."""
    begun = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(root / ".importpath")}
    # A change of a file within a second of its copy would not be seen by its compiled form.
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        ended = subprocess.run(
            command,
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        # A defect that makes the tests hang turns them red, too.
        return Trial(True, False, time.monotonic() - begun, "they hang")
    failed = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - |$)", ended.stdout, re.MULTILINE)
    told = failed.group(1) if failed else (ended.stdout + ended.stderr)[-400:]
    return Trial(
        ended.returncode == _TESTS_FAILED,
        ended.returncode == 0,
        time.monotonic() - begun,
        told,
    )
