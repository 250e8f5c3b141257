"""Writes to a store side by side with others: STORE WORKFLOW-OR-"own" COUNT."""

import os
import sys

import holdfast

target, workflow, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with holdfast.open(target) as engine:
    for number in range(count):
        name = workflow if workflow != "own" else f"of {os.getpid()}"
        saved = engine.checkpoint(name, name=f"{os.getpid()} {number}")
        print(saved.id, flush=True)
