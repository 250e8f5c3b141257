"""Eight agents side by side; half of them finish, the other half hang until they are killed.

python eight.py STORE LEDGER start|recover
"""

import sys
import threading
from pathlib import Path
from typing import Any

import holdfast

STORE, LEDGER, COMMAND = sys.argv[1:4]
app = holdfast.Registry()
running = threading.Barrier(5)


@app.workflow("eight")
def eight(run: holdfast.Run) -> list[Any]:
    """Square eight numbers."""

    def square(number: int) -> int:
        with Path(LEDGER).open("a") as ledger:
            ledger.write(f"{number}\n")
        run_agent_checkpoint(number)
        if COMMAND == "start" and number >= 4:
            running.wait()
            threading.Event().wait()
        return number * number

    def run_agent_checkpoint(number: int) -> None:
        engine.checkpoint("eight", stage_id="eight", agent_id=str(number), state={"mine": number})

    with run.stage("eight", kind="parallel") as stage:
        return stage.map(square, list(range(8)), key=str, workers=8)


def tell() -> None:
    """Say when four are done and the other four are running."""
    running.wait()
    while len(engine.context("eight").outputs) < 4:
        pass
    print("four are done and four are running", flush=True)


with holdfast.open(STORE, registry=app) as engine:
    if COMMAND == "start":
        threading.Thread(target=tell, daemon=True).start()
        engine.start("eight", workflow_id="eight")
    else:
        print(engine.recover("eight").output)
        counted = engine.get("eight@1")
        assert counted.status == "completed"
