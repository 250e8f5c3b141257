"""Writes to a store side by side with others: STORE WORKFLOW-OR-"own" COUNT.

Says that it is ready, waits for a line, opens the store, and prints each id when it is
acknowledged, and what the longest save took, in seconds.
"""

import os
import sys
import time

import holdfast

target, workflow, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
name = workflow if workflow != "own" else f"of {os.getpid()}"
print("ready", flush=True)
sys.stdin.readline()
longest = 0.0
with holdfast.open(target) as engine:
    for number in range(count):
        begun = time.monotonic()
        saved = engine.checkpoint(name, name=f"{os.getpid()} {number}")
        longest = max(longest, time.monotonic() - begun)
        print(saved.id, flush=True)
print(f"longest {longest}", flush=True)
