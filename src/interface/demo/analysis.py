"""The orchestrator of the demo: it analyses a source tree, one agent a package.

Nothing in it knows that it will be killed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..registry import Registry
from ..run import Run
from .ledger import Ledger
from .report import as_json, as_markdown
from .source_facts import facts_of_package, packages

app = Registry()

WORKERS = 4


@app.workflow("source-report")
def source_report(run: Run) -> dict[str, Any]:
    """Discover the packages, analyse them side by side, join, write the report."""
    root = Path(run.input["root"])
    ledger = Ledger(Path(run.input["ledger"]))

    def analyse(package: str) -> dict[str, Any]:
        ledger.note(package, "begun")
        facts = facts_of_package(root, package)
        ledger.note(package, "ended")
        return facts

    def write(folder: str) -> dict[str, Any]:
        for name, text in (("report.md", as_markdown(facts)), ("report.json", as_json(facts))):
            Path(folder, name).write_text(text, encoding="utf-8")
        return {"packages": len(facts), "files": sum(each["files"] for each in facts)}

    names = run.step("discover", lambda: packages(root))
    with run.stage("analyse", kind="parallel") as stage:
        facts = stage.map(analyse, names, workers=WORKERS)
    result: dict[str, Any] = run.step("report", write, run.input["folder"])
    return result
