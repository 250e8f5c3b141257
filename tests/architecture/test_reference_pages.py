"""The reference knows every public name, and the exit code of every error."""

from __future__ import annotations

import re
from pathlib import Path

import holdfast
from holdfast.interface.cli.ending import exit_code_of

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_python_page_when_compared_with_the_package_then_it_has_each_name_once() -> None:
    directive = re.compile(r"^\.\. auto(?:class|exception|function):: (\w+)$", re.MULTILINE)
    named = directive.findall((REFERENCE / "python.md").read_text())
    assert sorted(named) == sorted(holdfast._HOME)


def test_exit_codes_page_when_compared_with_the_errors_then_each_has_its_code() -> None:
    rows = re.findall(
        r"^\| (\d) \| .* \| (.*) \|$", (REFERENCE / "exit-codes.md").read_text(), re.MULTILINE
    )
    told = {name: int(code) for code, names in rows for name in re.findall(r"`(\w+)`", names)}
    public = {name: getattr(holdfast, name) for name in holdfast._HOMES["domain.errors"]}
    del public["HoldfastError"]  # the root: what it is raised as counts
    # Without what their constructors ask for: only their type decides.
    codes = {name: exit_code_of(kind.__new__(kind)) for name, kind in public.items()}
    assert told == codes
