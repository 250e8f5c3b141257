"""The demo, as `make demo` plays it, on a smaller source: real processes, really killed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path


def test_demo_when_played_then_it_is_killed_carried_on_and_proved(tmp_path: Path) -> None:
    source = Path(asyncio.__file__).parent
    command = [sys.executable, "-m", "holdfast", "demo", "--source", str(source), "--json"]

    done = subprocess.run(
        [*command, "--kills", "2", "--seed", "5"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [play["killed"] for play in told["killed"]] == [True, True, False]
    assert told["proved"]
    assert len(told["claims"]) >= 5
    assert all(claim["holds"] for claim in told["claims"])
