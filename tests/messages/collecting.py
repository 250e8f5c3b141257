"""Every message that a user may meet, in one text that is the same each time."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import holdfast
from holdfast.interface.cli.main import main

from .causes import CAUSES, opened
from .command_lines import COMMAND_LINES, prepare
from .warned import WARNED

FILE = Path(__file__).parent / "messages.txt"
_HEAD = """\
Every error, warning and usage error, caused once by tests/messages, and what it says.
Read it as an operator would, at night: what happened, to which id, and what is to be done?
Rewrite it with: python -m tests.messages
"""
_NORMALISED = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00"), "TIME"),
    (re.compile(rf"process \d+ on {re.escape(platform.node())}"), "process PID on HOST"),
    (re.compile(r"(?<=process )\d+"), "PID"),
    (re.compile(r"(?<=took )[\d.]+ s"), "N s"),
]


class Caught:
    """The errors that the causes raised, by class."""

    def __init__(self) -> None:
        self.by_class: dict[type[BaseException], list[tuple[str, str]]] = {}

    def note(self, error: BaseException, what: str, said: str) -> None:
        self.by_class.setdefault(type(error), []).append((what, said))


def collect() -> tuple[str, set[type[BaseException]]]:
    """Return the whole text, and the classes that were caused."""
    caught = Caught()
    for what, raising in CAUSES:
        with _room() as room:
            try:
                raising(room)
            except holdfast.HoldfastError as error:
                caught.note(error, what, _normal(str(error), room))
            else:
                raise AssertionError(f"nothing is raised by {what}")
    parts = [_HEAD]
    for kind in sorted(caught.by_class, key=lambda each: each.__name__):
        parts.append(f"\n{kind.__name__}\n")
        parts += [f"  {what}:\n    {said}\n" for what, said in caught.by_class[kind]]
    parts.append("\nWarnings\n")
    parts += [f"  {what}:\n    {said}\n" for what, said in _warned()]
    parts.append("\nOn the command line\n")
    parts += [f"  $ holdfast {line}\n    {said}\n" for line, said in _command_lines()]
    return "".join(parts), set(caught.by_class)


def _warned() -> Iterator[tuple[str, str]]:
    for what, warning in WARNED:
        with _room() as room, warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            warning(room)
            found = [each for each in heard if issubclass(each.category, UserWarning)]
            assert found, f"nothing is warned of by {what}"
            for each in found:
                said = _normal(str(each.message), room)
                yield f"{what} ({each.category.__name__})", said


def _command_lines() -> Iterator[tuple[str, str]]:
    with _room() as room, opened(room) as engine:
        prepare(engine)
        for line in COMMAND_LINES:
            code, said = _run(room, line)
            assert code, f"{line} ends well"
            text = "\n    ".join(_normal(said, room).splitlines())
            yield line, f"{text}\n    (exit code {code})"


def _run(room: Path, line: str) -> tuple[object, str]:
    said = StringIO()
    code: object = 0
    # As wide as it gets: where lines are broken is the terminal's business.
    with chdir(room), redirect_stderr(said), redirect_stdout(said):
        try:
            main([each.replace("_", " ") for each in line.split()])
        except SystemExit as end:
            code = end.code
    return code, said.getvalue().strip()


class _room:  # noqa: N801 - used as a function
    def __enter__(self) -> Path:
        self._folder = tempfile.TemporaryDirectory(
            dir="/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
        )
        return Path(self._folder.name).resolve()

    def __exit__(self, *error: object) -> None:
        self._folder.cleanup()


def _normal(text: str, room: Path) -> str:
    text = text.replace(str(room), "ROOM").replace(sys.executable, "PYTHON")
    for pattern, instead in _NORMALISED:
        text = pattern.sub(instead, text)
    return text
