"""The defects can be seeded still; that they are caught is what ``make seeded-defects`` shows."""

from __future__ import annotations

import pytest

from .defect import Defect, TextHasGone
from .every_defect import EVERY_DEFECT
from .trial import ROOT


@pytest.mark.parametrize("defect", EVERY_DEFECT, ids=lambda each: each.name)
def test_defect_when_applied_to_the_source_as_it_is_then_it_fits_and_its_tests_are_there(
    defect: Defect,
) -> None:
    text = (ROOT / defect.file).read_text(encoding="utf-8")

    assert defect.applied_to(text) != text
    paths = [each for each in defect.tests if each.startswith("tests/")]
    assert paths
    assert all((ROOT / each).exists() for each in paths)


def test_defects_when_named_then_no_two_are_named_the_same() -> None:
    names = [each.name for each in EVERY_DEFECT]

    assert len(names) == len(set(names)) >= 10


@pytest.mark.parametrize("text", ["", "a = 1\na = 1\n"], ids=["gone", "twice"])
def test_defect_when_its_text_is_not_there_once_then_it_is_told_and_not_passed_over(
    text: str,
) -> None:
    defect = Defect("slip", "a promise", "src/some.py", "a = 1\n", "a = 2\n", ("tests/x.py",))

    with pytest.raises(TextHasGone, match=r"src/some\.py has its text"):
        defect.applied_to(text)
