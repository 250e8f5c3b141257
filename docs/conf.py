"""The site of the docs: ``make docs``. Sphinx, because it checks what it links (decision 0041)."""

from __future__ import annotations

import re

from sphinx.application import Sphinx

project = "Holdfast"
author = "The Holdfast authors"
html_title = "Holdfast"
html_theme = "furo"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
]
smartquotes = False  # --option is typed with two hyphens

# Links between pages are checked, anchors too: they are made as GitHub makes them.
myst_heading_anchors = 3

# Docstrings say `Name` for what is documented, and for what is not.
default_role = "py:obj"
autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "inherited-members": True}
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False

# Nobody calls these: `holdfast.open`, `engine.run` and `run.stage` give them.
_GIVEN = re.compile(r"holdfast\.(Async)?(Engine|Run|Stage|Agent)|holdfast\.PurgeSchedule")
_DECISIONS = "\n\n```{toctree}\n:hidden:\n:glob:\n\n0*\n```\n"


def _list_decisions(_app: Sphinx, page: str, text: list[str]) -> None:
    # Not in the file: where the repository is read, it would be a block of code.
    if page == "decisions/README":
        text[0] += _DECISIONS


def _without_constructor(
    _app: Sphinx, what: str, name: str, *_rest: object
) -> tuple[str, str] | None:
    return ("", "") if what == "class" and _GIVEN.fullmatch(name) else None


def setup(app: Sphinx) -> None:
    """Say how pages are read."""
    app.connect("source-read", _list_decisions)
    app.connect("autodoc-process-signature", _without_constructor)
