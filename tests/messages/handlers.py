"""Handlers that processes of their own import."""

from __future__ import annotations

import os
import signal

import holdfast

app = holdfast.Registry()


@app.workflow("raises", isolation="process")
def raises(run: holdfast.Run) -> None:
    raise RuntimeError("out of paper")


@app.workflow("dies", isolation="process")
def dies(run: holdfast.Run) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
