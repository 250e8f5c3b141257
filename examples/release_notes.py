"""A synchronous pipeline: find the files, count each of them side by side, write a report.

Run it:         python release_notes.py [FOLDER]
Kill it:        PAUSE=1 python release_notes.py & sleep 3; kill -9 $!
Carry it on:    python release_notes.py [FOLDER]
or by hand:     holdfast --store release-notes.db --app release_notes:app recover notes

PAUSE pretends that each file takes so many seconds, as a model call would.
"""

import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import holdfast

app = holdfast.Registry()


def discover(folder: str) -> list[str]:
    """Return the Python files of a folder, relative to it: they name the agents."""
    root = Path(folder)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.py"))


def analyse(path: Path) -> dict[str, Any]:
    """Return the lines of a file, and its most frequent words."""
    print(f"analysing {path.name}", file=sys.stderr, flush=True)
    time.sleep(float(os.environ.get("PAUSE", "0")))
    text = path.read_text(encoding="utf-8", errors="replace")
    return {"lines": text.count("\n"), "words": dict(Counter(text.split()).most_common(3))}


def write_report(lines: dict[str, int]) -> str:
    """Write the report and return where; done twice it is the same, for a step may run twice."""
    report = Path("release-notes.txt")
    unfinished = report.with_suffix(".partial")
    unfinished.write_text("".join(f"{count:6} {name}\n" for name, count in lines.items()))
    unfinished.replace(report)
    return str(report)


@app.workflow("release-notes")
def release_notes(run: holdfast.Run) -> dict[str, Any]:
    """Count the lines of all files of ``input["folder"]``."""
    folder = Path(run.input["folder"])
    names = run.step("discover", discover, str(folder))
    with run.stage("analyse", kind="parallel") as stage:
        results = stage.map(lambda name: analyse(folder / name), names, workers=4)
    lines = {name: each["lines"] for name, each in zip(names, results, strict=True)}
    report = run.step("report", write_report, lines)
    return {"files": len(names), "lines": sum(lines.values()), "report": report}


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).parent)
    with holdfast.open("release-notes.db", registry=app) as engine:
        print(engine.start("release-notes", workflow_id="notes", input={"folder": given}))
