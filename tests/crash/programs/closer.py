"""Closes an agent: STORE ID."""

import sys

import holdfast

with holdfast.open(sys.argv[1]) as engine:
    print("closing", flush=True)
    engine.complete(sys.argv[2], {"result": 1})
print("closed", flush=True)
