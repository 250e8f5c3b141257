"""The screens in the documentation are what the commands show."""

from __future__ import annotations

from pathlib import Path

from .orchard import RELEASE
from .screens import PAGE, comparable, remade
from .terminal import ORCHARD, ROOT, in_pipe


def test_screens_when_made_again_then_they_are_those_of_the_page(garden: Path) -> None:
    page = PAGE.read_text("utf-8")

    made = remade(page, garden, real=False)

    assert made.count("```console screen") >= 8
    assert comparable(made) == comparable(page), "run `make pictures`"


def test_picture_when_made_again_then_it_is_the_one_of_the_page(garden: Path) -> None:
    known = {"HOLDFAST_STORE": "orchard.db"}

    drawn = in_pipe([*ORCHARD, "tree", RELEASE, "--svg", "-"], garden, known).text

    assert drawn == (ROOT / "docs/images/run.svg").read_text("utf-8"), "run `make pictures`"
