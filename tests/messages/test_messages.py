"""Every message is caused, read in review, and as it was read."""

from __future__ import annotations

import holdfast
import pytest
from holdfast.domain import errors

from .collecting import FILE, collect

NEVER_RAISED_THEMSELVES = {
    # What is caught by, with what is raised below it in the tree.
    holdfast.HoldfastError,
    holdfast.Refused,
    holdfast.AnswerRefused,
    holdfast.Damaged,
    holdfast.SchemaMismatch,
}


@pytest.fixture(scope="module")
def collected() -> tuple[str, set[type[BaseException]]]:
    return collect()


def test_messages_when_caused_anew_then_they_are_those_that_were_read(
    collected: tuple[str, set[type[BaseException]]],
) -> None:
    text, _ = collected

    assert text == FILE.read_text(), "read the difference, then: python -m tests.messages"


def test_errors_when_looked_through_then_each_class_was_caused(
    collected: tuple[str, set[type[BaseException]]],
) -> None:
    _, caused = collected
    every = {
        found
        for found in vars(errors).values()
        if isinstance(found, type) and issubclass(found, holdfast.HoldfastError)
    }

    assert every - caused == NEVER_RAISED_THEMSELVES
