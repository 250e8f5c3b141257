"""Purges a store, again and again if told so, in short slices; killed from outside."""

from __future__ import annotations

import sys

import holdfast
from holdfast.application.retention import removal

removal.MOST_ROWS = 20  # many slices, so that there are many moments to be killed at

with holdfast.open(sys.argv[1]) as engine:
    print("purging", flush=True)
    report = engine.purge(keep=10)
    print(report.checkpoints, flush=True)
