"""Handlers that run in processes of their own, and mostly do not behave.

Each gets a folder as its input, notes in the file ``pids`` there which processes it consists of,
and waits for files that the test makes.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import holdfast

app = holdfast.Registry()
SH = "echo $$ >> {pids}; {rest}"


def note(folder: str, what: str = "pids") -> None:
    """Add a line with this process's number."""
    with Path(folder, what).open("a") as file:
        file.write(f"{os.getpid()}\n")


def wait_for(folder: str, name: str) -> None:
    """Wait until the test makes a file."""
    while not Path(folder, name).exists():
        time.sleep(0.01)


def square(number: int) -> int:
    """Return the square."""
    return number * number


@app.workflow("behaves", isolation="process")
def behaves(run: holdfast.Run) -> Any:
    """Do everything that a run can do."""
    print("this is", run.workflow_id)
    print("and this is wrong", file=sys.stderr)
    folder = run.input["folder"]
    note(folder)
    one = run.step("one", square, 2)
    with run.stage("parts", kind="parallel") as stage:
        parts = stage.map(square, [1, 2, 3], workers=2)
    run.checkpoint(name="half", patch={"one": one})
    run.step("noted", lambda: note(folder, "noted"))
    if not Path(folder, "mended").exists():
        run.step("fragile", lambda: 1 // 0)
    doubt = list(run.in_doubt)
    return {"parts": parts, "state": run.state, "doubt": doubt, "id": run.correlation_id}


@app.workflow("awaits", isolation="process")
async def awaits(run: holdfast.AsyncRun) -> Any:
    """Be a coroutine."""

    async def nap(number: int) -> int:
        await asyncio.sleep(0.01)
        return square(number)

    async with run.stage("parts", kind="parallel") as stage:
        return await stage.map(nap, [1, 2, 3])


@app.workflow("loops", isolation="process", timeout=300)
def loops(run: holdfast.Run) -> None:
    """Go on for ever, whatever is raised."""
    print("round and round", flush=True)
    note(run.input["folder"])
    while True:
        try:
            while True:
                pass
        except BaseException:  # noqa: BLE001, S112 - that is what it is here for
            continue


@app.workflow("deaf", isolation="process", timeout=300)
def deaf(run: holdfast.Run) -> None:
    """Ignore SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(run.input["folder"])
    time.sleep(600)


def start_children(folder: str) -> None:
    """Start a child, one that ignores SIGTERM in a session of its own, and a double-forked one."""
    pids = Path(folder, "pids")
    for rest in ("sleep 600", "trap '' TERM; sleep 600 & wait; sleep 600"):
        command = SH.format(pids=pids, rest=rest)
        subprocess.Popen(["sh", "-c", command], start_new_session="trap" in rest)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            note(folder)
            os.execvp("sleep", ["sleep", "600"])  # noqa: S606
        os._exit(0)
    while len(pids.read_text().split()) < 4:
        time.sleep(0.01)


@app.workflow("parent", isolation="process", timeout=300)
def parent(run: holdfast.Run) -> None:
    """Have children that outlive it."""
    note(run.input["folder"])
    start_children(run.input["folder"])
    Path(run.input["folder"], "ready").touch()
    time.sleep(600)


@app.workflow("leaves", isolation="process")
def leaves(run: holdfast.Run) -> str:
    """Return, and leave children and a thread behind."""
    note(run.input["folder"])
    start_children(run.input["folder"])
    threading.Thread(target=time.sleep, args=(600,)).start()
    return "done"


@app.workflow("silent", isolation="process")
def silent(run: holdfast.Run) -> None:
    """Give no sign of life."""
    note(run.input["folder"])
    time.sleep(600)


@app.workflow("long", isolation="process")
def long(run: holdfast.Run) -> str:
    """Take far longer than any limit, while steps get finished."""
    folder = run.input["folder"]
    for number in range(5):
        run.step(f"step {number}", hold, folder, f"step {number}")
    run.using(timeout=3600).step("patient", hold, folder, "patient")
    return "done"


def hold(folder: str, name: str) -> None:
    """Say that a step has begun, and wait."""
    Path(folder, f"{name} begun").touch()
    wait_for(folder, f"{name} go")


@app.workflow("exits", isolation="process")
def exits(run: holdfast.Run) -> None:
    """End the process."""
    print("the last words", end="", flush=True)
    note(run.input["folder"])
    start_children(run.input["folder"])
    os._exit(run.input["status"])


@app.workflow("prints", isolation="process")
def prints(run: holdfast.Run) -> str:
    """Print a lot."""
    line = b"x" * 1023 + b"\n"
    for _ in range(run.input["megabytes"] * 16):
        sys.stdout.buffer.write(line * 64)
    print("the end")
    return "printed"


@app.workflow("tells", isolation="process")
def tells(run: holdfast.Run) -> None:
    """Print, and raise, what is secret."""
    print(os.environ)
    raise ValueError(os.environ["HOLDFAST_RUN_TOKEN"])


@app.workflow("trouble", isolation="process")
def trouble(run: holdfast.Run) -> None:
    """Meet a disk that is full."""
    raise ExceptionGroup("all", [holdfast.StorageUnavailable("disk full", outcome="unknown")])


@app.workflow("changes", isolation="process")
def changes(run: holdfast.Run) -> None:
    """Ask a finished step with another input."""
    run.step("same", square, os.getpid() if Path(run.input["folder"], "again").exists() else 1)
    Path(run.input["folder"], "again").touch()
    raise LookupError("once more")


@app.workflow("beside", isolation="process")
def beside(run: holdfast.Run) -> None:
    """Write through another engine, and from a child."""
    with holdfast.open(run.input["store"]) as engine:
        engine.checkpoint(run.workflow_id, name="beside")
    command = [sys.executable, "-m", "holdfast", "checkpoint", os.environ["HOLDFAST_RUN_WORKFLOW"]]
    subprocess.run([*command, "--name", "below"], check=True)


@app.workflow("asks", isolation="process")
def asks(run: holdfast.Run) -> Any:
    """Wait for an answer, in a group of exceptions."""
    try:
        return run.wait("approval", ask={"sure": True})
    except holdfast.Waiting as waiting:
        if Path(run.input["folder"], "grouped").exists():
            raise ExceptionGroup("all wait", [waiting]) from None
        raise


@app.workflow("obeys", isolation="process")
def obeys(run: holdfast.Run) -> None:
    """Write checkpoints until that is refused."""
    note(run.input["folder"])
    number = 0
    while True:
        number += 1
        run.checkpoint(name=f"round {number}")


def censor(place: str, value: object) -> object:
    """Take out what is secret, and what is in every traceback."""
    return value.replace("secret", "***") if isinstance(value, str) else value


@app.workflow("blabs", isolation="process")
def blabs(run: holdfast.Run) -> None:
    """Fail, in a step, with a secret."""

    def fail() -> None:
        raise ValueError("the secret")

    run.step("loose", fail)


def drive(store: str, name: str, workflow_id: str, folder: str) -> None:
    """Start a workflow, as a program does."""
    with holdfast.open(store, registry=app, settings={"grace": 0.3}) as engine:
        print(engine.start(name, workflow_id=workflow_id, input={"folder": folder}))


if __name__ == "__main__":
    drive(*sys.argv[1:])
