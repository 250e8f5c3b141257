"""A program: goes through a scenario again and again, each time killed right before another step.

    python -m tests.faults.killing KIND FOLDER SCENARIO STEP …

leaves the store in ``FOLDER/SCENARIO-STEP`` and its record beside it, as `recording` does. Prints
how many were killed; the others were over before.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from .disk import Disk
from .recording import mark_commits, perform, watching


def _killed(disk: Disk, kind: str, folder: Path, scenario: str, step: int) -> bool:
    """Go through it in a process of its own; return whether that was killed."""
    child = os.fork()
    if child == 0:
        disk.kill(step)
        perform(disk, kind, folder, "power", scenario, name=f"{scenario}-{step}")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _main(kind: str, folder: str, scenario: str, *steps: str) -> None:
    with watching(kind) as disk:
        mark_commits(disk, kind)
        print(sum(_killed(disk, kind, Path(folder), scenario, int(step)) for step in steps))


if __name__ == "__main__":
    _main(*sys.argv[1:])
