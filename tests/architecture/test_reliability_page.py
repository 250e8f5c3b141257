"""docs/reliability.md names tests that are there, and counts what can be counted."""

from __future__ import annotations

import re
from pathlib import Path

from ..seeded_defects.every_defect import EVERY_DEFECT

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_page_when_it_names_tests_then_they_are_there_and_hold_some() -> None:
    named = set(re.findall(r"`(tests/[^`]*)`", PAGE))

    assert len(named) > 30
    for each in named:
        path = ROOT / each
        files = [path] if path.is_file() else list(path.rglob("test_*.py"))
        assert any("def test_" in file.read_text(encoding="utf-8") for file in files), each


def test_page_when_it_counts_defects_then_rightly() -> None:
    counted = {int(each) for each in re.findall(r"(\d+) defects", PAGE)}

    assert counted == {len(EVERY_DEFECT)}


def test_page_when_it_names_commands_then_the_makefile_has_them_and_says_how_long_they_take() -> (
    None
):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for name in re.findall(r"`make ([a-z-]+)`", PAGE):
        assert re.search(rf"^{name}:.*## ", makefile, re.MULTILINE), name
    for name in ("test-deep", "soak", "seeded-defects"):
        (line,) = re.findall(rf"^{name}:.*## (.*)", makefile, re.MULTILINE)
        assert re.search("minutes|hour", line)
