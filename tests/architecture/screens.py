"""The screens in the docs: typed anew, compared, and written by ``python -m tests.architecture``.

A block fenced ```` ```console screen ```` holds what the commands after ``$`` print. All such
blocks of a page are played in one folder, in order, beside the files of the page (its Python blocks
that begin with ``# NAME.py``). Times, durations, processes and sizes differ each time: they are
left out of the comparison, and everything else is not.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SCREEN = re.compile(r"^```console screen\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?ms)^```python run\n# (?P<name>\w+\.py)\n(?P<text>.*?)^```")
_COMMAND = re.compile(r"^\$ (.*)$", re.MULTILINE)
# What stands in the pages for the folder and the host on which they were written.
SHOWN_FOLDER = "/srv/crew"
SHOWN_HOST = "h" * len(socket.gethostname())  # as long, so that tables stay tables
_VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"), "TIME"),
    (re.compile(r"process \d+ on \S+"), "PROCESS"),
    (re.compile(r"\b\d[\d,]*(\.\d+)? ?(s|ms|min|KB|MB|bytes)(?!\w)( ago)?"), "QUANTITY"),
    (re.compile(r"(?<=: )\d[\d,]*$", re.MULTILINE), "NUMBER"),
    (re.compile(r"(?<=bytes) +\d+"), " NUMBER"),
    (re.compile(r"\b(sqlite|python|holdfast) +\d+\.\d+\.\d+", re.IGNORECASE), r"\1 VERSION"),
    # Some versions of SQLite are worth a look, others are not.
    (re.compile(r"^Worth a look\n(?:  .*\n)+", re.MULTILINE), ""),
    (re.compile(r"[─━]+"), "─"),
    (re.compile(r"[ \t]+"), " "),
)


def pages_with_screens() -> list[Path]:
    """Return the pages of the docs that have any."""
    pages = sorted((ROOT / "docs").rglob("*.md"))
    # `make pictures` has a page of its own, and a test for it.
    pages.remove(ROOT / "docs" / "screens.md")
    return [page for page in pages if _SCREEN.search(page.read_text())]


def screens_of(page: Path) -> list[str]:
    """Return what the screens of a page show."""
    return [found["text"] for found in _SCREEN.finditer(page.read_text())]


def play(page: Path, folder: Path) -> Iterator[str]:
    """Type the commands of a page's screens in *folder*; yield each screen as it looks now."""
    for found in _FILE.finditer(page.read_text()):
        (folder / found["name"]).write_text(found["text"])
    for screen in screens_of(page):
        commands = _COMMAND.findall(screen)
        yield "".join(f"$ {command}\n{_typed(command, folder)}" for command in commands)


def comparable(screen: str) -> str:
    """Return a screen without what differs each time."""
    for pattern, instead in _VOLATILE:
        screen = pattern.sub(instead, screen)
    lines = (line.strip() for line in screen.splitlines())
    return "\n".join(line for line in lines if line)


def _typed(command: str, folder: Path) -> str:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = done.stdout.replace(os.path.realpath(folder), SHOWN_FOLDER)
    said = re.sub(rf"(?<= on ){re.escape(socket.gethostname())}\b", SHOWN_HOST, said)
    said = re.sub(r"^Killed\n", "", said, flags=re.MULTILINE)  # some shells say it, some do not
    said = "".join(line.rstrip() + "\n" for line in said.splitlines())
    return said.strip("\n") + "\n" if said.strip() else ""


def rewrite(page: Path) -> None:
    """Write a page's screens anew, as they look now."""
    folder = Path(tempfile.mkdtemp(prefix="screens-"))
    try:
        made = play(page, folder)
        text = _SCREEN.sub(lambda _: f"```console screen\n{next(made)}```", page.read_text())
    finally:
        shutil.rmtree(folder)
    page.write_text(text)
