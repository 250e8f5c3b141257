"""The public names: all there, loaded late, and known to type checkers."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import holdfast
import pytest
from holdfast.domain import errors

SOURCE = Path(holdfast.__file__).read_text()


def _type_checking_names() -> set[str]:
    tree = ast.parse(SOURCE)
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.asname or ""
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_names_when_compared_then_type_checkers_and_the_interpreter_know_the_same() -> None:
    assert _type_checking_names() == set(holdfast._HOME)


@pytest.mark.parametrize("name", sorted(holdfast._HOME))
def test_name_when_asked_for_then_it_is_there_and_documented(name: str) -> None:
    found = getattr(holdfast, name)
    assert found.__doc__
    assert found.__name__ == name


WITHOUT_EXAMPLE = {
    # Parts of what another one's example shows, and lists of names.
    "AgentStateSnapshot",
    "ConsolidateReport",
    "DeleteReport",
    "EventKind",
    "Finding",
    "Outcome",
    "PurgeProgress",
    "PurgedWorkflow",
    "StageStateSnapshot",
    "WorkflowStateSnapshot",
}


def test_names_when_looked_through_then_each_but_errors_and_parts_has_an_example() -> None:
    found = {name: getattr(holdfast, name) for name in holdfast._HOME}
    missing = {
        name
        for name, value in found.items()
        if ">>>" not in value.__doc__
        and not (isinstance(value, type) and issubclass(value, Exception))
    }

    assert missing == WITHOUT_EXAMPLE


@pytest.mark.parametrize("name", sorted(holdfast._HOME))
def test_members_when_public_then_each_is_documented(name: str) -> None:
    found = getattr(holdfast, name)
    members = inspect.getmembers(found) if isinstance(found, type) else []
    undocumented = [
        member
        for member, value in members
        if not member.startswith("_")
        and (inspect.isroutine(value) or isinstance(value, property))
        and not inspect.getdoc(value)
    ]

    assert undocumented == []


def test_name_when_unknown_then_the_error_says_so() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        holdfast.nonsense  # noqa: B018


def test_errors_when_listed_then_each_is_public_in_one_tree_and_drawn_in_its_docstring() -> None:
    classes = {
        name: found
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, Exception)
    }
    assert set(classes) <= set(holdfast._HOME)
    assert all(issubclass(found, holdfast.HoldfastError) for found in classes.values())
    drawn = {line.strip("│├└─ ").split(" ")[0] for line in (errors.__doc__ or "").splitlines()}
    assert set(classes) <= drawn
