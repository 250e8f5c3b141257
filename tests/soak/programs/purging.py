"""Purge, and delete what has ended, again and again until killed."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

import holdfast

target, keep = sys.argv[1], int(sys.argv[2])

with holdfast.open(target) as engine:
    while True:
        with suppress(holdfast.Refused):  # somebody else is purging
            engine.purge(keep=keep)
        for each in engine.workflows(status="completed", limit=None):
            with suppress(holdfast.Refused, holdfast.NotFound):
                engine.delete(workflow_id=each.workflow_id)
        time.sleep(0.5)
