"""A synchronous pipeline: discover, analyse side by side, report.

    python examples/release_notes.py [FOLDER]

Kill it in the middle and run it again: what was finished is not done again.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import holdfast

app = holdfast.Registry()


def discover(folder: str) -> list[str]:
    """Return the Python files of a folder."""
    return sorted(str(path) for path in Path(folder).rglob("*.py"))


def analyse(path: str) -> dict[str, Any]:
    """Return the lines of a file, and its most frequent words."""
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    return {"lines": text.count("\n"), "words": dict(Counter(text.split()).most_common(3))}


@app.workflow("release-notes")
def release_notes(run: holdfast.Run) -> dict[str, int]:
    """Count the files and their lines."""
    files = run.step("discover", discover, run.input["folder"])
    with run.stage("analyse", kind="parallel") as stage:
        results = stage.map(analyse, files, workers=4)
    return {"files": len(files), "lines": sum(each["lines"] for each in results)}


if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).parent)
    with holdfast.open("release-notes.db", registry=app) as engine:
        print(engine.start("release-notes", workflow_id="notes", input={"folder": folder}))
