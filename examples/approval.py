"""A run that asks a person and waits for days, without a process.

    python examples/approval.py start r-42
    python examples/approval.py answer r-42 yes
    python examples/approval.py start r-42

The first prints what is asked and ends; after the answer the same command goes on from there.
"""

import sys
from datetime import timedelta
from typing import Any

import holdfast

app = holdfast.Registry()


def write(topic: str) -> str:
    """Return a draft; a model would be asked here."""
    return f"All about {topic}."


def publish(draft: str) -> str:
    """Return where the draft was published."""
    return f"https://example.org/{abs(hash(draft)) % 1000}"


@app.workflow("review")
def review(run: holdfast.Run) -> dict[str, Any]:
    """Write, let a person approve, publish."""
    draft = run.step("write", write, run.input["topic"])
    verdict = run.wait("approval", ask=draft, until=timedelta(days=7))
    if verdict is None:
        return {"published": False, "because": "nobody looked at it within a week"}
    if verdict != "yes":
        return {"published": False, "because": verdict}
    run.step("publish", publish, draft)
    return {"published": True}


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
