"""A run that asks a person and waits for days, while no process is up.

Run it:         python approval.py start r-42       prints what is asked, and ends
Kill it:        PAUSE=5 python approval.py start r-42 & sleep 2; kill -9 $!
Carry it on:    python approval.py start r-42       asks again what is not answered
Answer it:      python approval.py answer r-42 yes
           or:  holdfast --store approval.db answer r-42 approval '"yes"'
and carry on:   python approval.py start r-42
           or:  holdfast --store approval.db --app approval:app supervise --once

Nobody answers for a week: the run is due, and carried on without an answer.
"""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import holdfast

app = holdfast.Registry()


def write(topic: str) -> str:
    """Return a draft; a model would be asked here."""
    print("writing about", topic, file=sys.stderr, flush=True)
    time.sleep(float(os.environ.get("PAUSE", "0")))
    return f"All about {topic}."


def publish(draft: str) -> str:
    """Publish the draft and return where; done twice it is the same, for a step may run twice."""
    page = Path("published.txt")
    page.write_text(draft)
    return str(page)


@app.workflow("review", retention_days=90)
def review(run: holdfast.Run) -> dict[str, Any]:
    """Write, let a person approve, publish."""
    draft = run.step("write", write, run.input["topic"])
    verdict = run.wait("approval", ask=draft, until=timedelta(days=7))
    if verdict is None:
        return {"published": None, "because": "nobody looked at it within a week"}
    if verdict != "yes":
        return {"published": None, "because": verdict}
    return {"published": run.step("publish", publish, draft)}


def main(command: str = "start", workflow: str = "r-42", answer: str = "") -> None:
    """Start or carry on a review, or answer what it asks."""
    with holdfast.open("approval.db", registry=app) as engine:
        if command == "answer":
            engine.answer(name="approval", value=answer, workflow_id=workflow)
            return
        try:
            print(engine.start("review", workflow_id=workflow, input={"topic": "kelp"}))
        except holdfast.Waiting as waiting:
            question = engine.context(workflow_id=workflow).interrupted[-1]
            print(f"{question.input} Good enough? ({waiting.name})")


if __name__ == "__main__":
    main(*sys.argv[1:])
