"""Saves a state of 200 KB with Holdfast and with LangGraph, if it is there, and is killed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import holdfast

from ..sides import langgraph
from ..sides.peers import lacking
from ..workload import state

if __name__ == "__main__":
    folder, held = Path(sys.argv[1]), state(200_000)
    engine = holdfast.open(folder / "ours.db")
    engine.checkpoint("run", state=held, resume_handler="carry-on")
    if lacking(langgraph.NAME) is None:
        saver = langgraph.Saver(folder / "peer.db")
        saver.put(langgraph.Thread("run"), held)
    os.kill(os.getpid(), signal.SIGKILL)
