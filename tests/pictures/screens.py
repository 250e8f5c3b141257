"""The screens of the documentation: what the commands in docs/screens.md print.

A block that begins with ``console screen`` shows the orchard on a terminal of 80 columns; one that
begins with ``console real`` what this machine does, and is as it was when the page was last made.
"""

from __future__ import annotations

import platform
import re
import shlex
import sys
from pathlib import Path

from .orchard import grow
from .terminal import ORCHARD, ROOT, on_terminal

PAGE = ROOT / "docs" / "screens.md"
COLUMNS = 80
_BLOCK = re.compile(
    r"^```console (?P<kind>screen|real)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)
_REAL = (sys.executable, "-m", "holdfast")
_PROGRAM = """
import holdfast

app = holdfast.Registry()
for name in ("release-notes", "migrate", "review", "embed", "ingest"):
    app.handler(name)(print)
"""
# What is another one on each machine, and is still worth to be shown.
_VARIES = re.compile(
    r"^  (sqlite|python|holdfast|bytes|store|path) +[^=\n]*\n( {20,}.*\n)*"
    r"|^Worth a look\n(  .*\n)*"
    # Tracebacks name the folder of this checkout, whose length is in the sizes.
    r"|(?<=[ (])[\d.,]+ [KM]?B\b",
    re.MULTILINE,
)


def plant(folder: Path) -> Path:
    """Make the store and the program in a folder."""
    grow(folder / "orchard.db")
    (folder / "crew.py").write_text(_PROGRAM, encoding="utf-8")
    return folder


def remade(page: str, folder: Path, *, real: bool) -> str:
    """Return the page with what its commands print now.

    Args:
        real: also what depends on this machine.
    """

    def block(found: re.Match[str]) -> str:
        if found["kind"] == "real" and not real:
            return found[0]
        commands = re.findall(r"^\$ holdfast (.*)$", found["text"], re.MULTILINE)
        shown = "".join(
            f"$ holdfast {each}\n{_printed(each, found['kind'], folder)}" for each in commands
        )
        return f"```console {found['kind']}\n{shown}```"

    return _BLOCK.sub(block, page)


def comparable(page: str) -> str:
    """Return a page without what is another one on each machine."""
    return _VARIES.sub("", page)


def _printed(command: str, kind: str, folder: Path) -> str:
    program = ORCHARD if kind == "screen" else _REAL
    known = {"HOLDFAST_STORE": "orchard.db", "HOLDFAST_APP": "crew:app", "NO_COLOR": "1"}
    ended = on_terminal([*program, *shlex.split(command)], COLUMNS, folder, known)
    text = ended.text.replace(f"{folder}/", "/srv/").replace(platform.node(), "orchard")
    # A bar is drawn over and over, and wiped away at the end: nothing of it stays.
    text = re.sub(r"^.*\n\r?(\x1b\[\?25h)?\r?\x1b\[1A\x1b\[2K", "", text, flags=re.MULTILINE)
    text = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", text)
    return f"{text.rstrip()}\n"
