"""Save to one workflow until killed; note each save once it was acknowledged."""

from __future__ import annotations

import os
import sys
import time

import holdfast

target, ledger_path, name = sys.argv[1:]
ledger = os.open(ledger_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

with holdfast.open(target) as engine:
    number = 0
    while True:
        number += 1
        mark = f"{os.getpid()}-{number}"
        saved = engine.checkpoint(name, state={"mark": mark, "text": str(number) * 300})
        os.write(ledger, f"{name} {saved.id.sequence} {mark}\n".encode())
        time.sleep(0.02)
