"""The example of a run that waits for a person, as a user runs it: a process each time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "examples" / "approval.py"


def call(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    return done.stdout


def test_example_when_started_answered_and_started_again_then_it_goes_on(tmp_path: Path) -> None:
    asked = call(tmp_path, "start", "r-42")
    again = call(tmp_path, "start", "r-42")
    call(tmp_path, "answer", "r-42", "yes")
    done = call(tmp_path, "start", "r-42")

    assert asked == again == "All about kelp. Good enough? (approval)\n"
    assert done == "{'published': True}\n"
    assert call(tmp_path, "start", "r-42") == done
