"""The types of the public names, as a program of somebody else meets them.

`make check` reads `program.py` with everything else; here it is read alone, away from the source.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "program.py"


@pytest.mark.deep
def test_program_when_read_strictly_and_away_from_the_source_then_its_types_are_as_it_says(
    tmp_path: Path,
) -> None:
    shutil.copy(PROGRAM, tmp_path / "mine.py")

    ended = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "mine.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 0, ended.stdout


def test_program_when_imported_then_its_names_are_there() -> None:
    """What a type checker reads, the interpreter must know as well."""
    names = {"__name__": "program"}

    exec(compile(PROGRAM.read_text(), str(PROGRAM), "exec"), names)  # noqa: S102

    assert {"review", "handle", "use_async"} <= set(names)
