"""The screens in the docs are what the commands print; ``make screens`` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from .screens import ROOT, comparable, pages_with_screens, play, screens_of


@pytest.mark.parametrize("page", pages_with_screens(), ids=lambda page: str(page.relative_to(ROOT)))
def test_screens_when_their_commands_are_typed_then_they_look_so(
    page: Path, tmp_path: Path
) -> None:
    shown = [comparable(each) for each in screens_of(page)]
    assert [comparable(each) for each in play(page, tmp_path)] == shown


def test_screens_when_a_word_or_a_state_differs_then_they_do_not_compare_equal() -> None:
    shown = "├── load  completed  2026-01-01 10:00:00Z  0.05 s"
    later = "├── load  completed   2026-02-03 11:12:13Z  1.25 s"
    assert comparable(shown) == comparable(later)
    assert comparable(shown) != comparable(shown.replace("completed", "killed"))
    assert comparable(shown) != comparable(shown.replace("load", "save"))
