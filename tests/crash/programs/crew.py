"""An orchestrator to be killed: agents side by side that note what they do outside the store.

    python crew.py STORE LEDGER start|recover AGENTS

The ledger gets a line for every agent that begins and ends, and a line for everything that Holdfast
has acknowledged: only after the call that saved it has returned.
"""

import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import holdfast

STORE, LEDGER, COMMAND, AGENTS = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
WORKERS = 4

app = holdfast.Registry()


def note(what: str, about: str) -> None:
    """Append a line with one system call."""
    line = json.dumps([what, about, os.getpid()]) + "\n"
    file = os.open(LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, line.encode())
    os.close(file)


@app.workflow("crew", max_retries=1000)
def crew(run: holdfast.Run) -> dict[str, Any]:
    """Let every agent work, twice over, and add up what they give."""
    sums = [one_round(run, name) for name in ("first", "second")]
    total = run.step(
        "total", lambda parts: hashlib.sha256("".join(parts).encode()).hexdigest(), sums
    )
    return {"total": total, "state": run.state}


def one_round(run: holdfast.Run, name: str) -> str:
    """Run all agents side by side in a stage; return a digest of what they gave."""

    def work(agent: str) -> str:
        note("begun", f"{name}/{agent}")
        saved = run.checkpoint(name=f"{name} {agent}", patch={f"{name}-{agent}": len(agent)})
        note("saved", str(saved.id))
        digest = agent.encode()
        for _ in range(20_000):
            digest = hashlib.sha256(digest).digest()
        note("ended", f"{name}/{agent}")
        return digest.hex()

    with run.stage(name, kind="parallel") as stage, ThreadPoolExecutor(WORKERS) as pool:

        def step(agent: str) -> str:
            output: str = stage.step(agent, work, agent)
            note("acknowledged", f"{name}/{agent}")
            return output

        outputs = list(pool.map(step, [f"agent-{number}" for number in range(AGENTS)]))
    return hashlib.sha256("".join(outputs).encode()).hexdigest()


with holdfast.open(STORE, registry=app) as engine:
    if COMMAND == "start":
        result = engine.start("crew", workflow_id="crew")
    else:
        recovered = engine.recover("crew")
        if recovered.error is not None:
            raise SystemExit(recovered.error.traceback)
        result = recovered.output
    print(json.dumps(result, sort_keys=True))
