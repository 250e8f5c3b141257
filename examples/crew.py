"""A crew of agents on asyncio: some research side by side, one writes, one reviews.

Run it:         python crew.py [TOPIC ...]
Kill it:        PAUSE=1 python crew.py & sleep 3; kill -9 $!
Carry it on:    python crew.py [TOPIC ...]
or by hand:     holdfast --store crew.db --app crew:app recover crew-1
by itself:      holdfast supervise; the folder deploy has what systemd and containers need

No question that was answered is asked again. Put your own client in place of `ask`. PAUSE pretends
that each question takes so many seconds. "storms" fails the first time, as a service under load
does: the step is tried again.
"""

import asyncio
import os
import sys
from typing import Any

import holdfast

app = holdfast.Registry()
TOPICS = ["kelp", "storms", "rocks", "currents", "otters", "urchins"]
_failed: set[str] = set()


async def ask(question: str) -> str:
    """Return an answer; a model would be asked here."""
    print("asking", question, file=sys.stderr, flush=True)
    await asyncio.sleep(float(os.environ.get("PAUSE", "0")))
    if question == "what holds storms?" and question not in _failed:
        _failed.add(question)
        raise ConnectionError("the service is busy")
    return f"[{question}]"


async def research(topic: str) -> dict[str, str]:
    """Return what is known about a topic."""
    return {"topic": topic, "note": await ask(f"what holds {topic}?")}


async def write(notes: list[dict[str, str]]) -> str:
    """Return a draft made of the notes."""
    return await ask(f"a page on {', '.join(note['topic'] for note in notes)}")


async def review(draft: str, round_: int) -> dict[str, Any]:
    """Return what to do about a draft: the second one is good enough."""
    return {"advice": await ask(f"better than {draft}?"), "good": round_ == 2}


@app.workflow("crew", max_retries=5)
async def crew(run: holdfast.AsyncRun) -> dict[str, Any]:
    """Research all topics, then write and review until a draft is good."""
    patient = run.using(timeout=60, retries=2)  # each try has a minute; a failed one is tried again
    async with patient.stage("research", kind="parallel") as stage:
        notes = await stage.map(research, run.input["topics"], workers=3)
    # The shared state is what others can see of a run: holdfast context crew-1
    await run.checkpoint(name="researched", patch={"notes": len(notes), "drafts": 0})

    round_, verdict, draft = 0, {"good": False}, None
    while not verdict["good"]:
        round_ += 1
        draft = await patient.step(f"write {round_}", write, notes)
        verdict = await patient.step(f"review {round_}", review, draft, round_)
        await run.checkpoint(name=f"draft {round_}", patch={"drafts": round_})
    return {"draft": draft, "drafts": run.state["drafts"]}


async def main(topics: list[str]) -> None:
    """Start the crew, or carry it on."""
    async with holdfast.open_async("crew.db", registry=app) as engine:
        print(await engine.start("crew", workflow_id="crew-1", input={"topics": topics}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or TOPICS))
