"""Does one thing in a process of its own and prints by how many bytes its peak memory grew.

The peak is the kernel's own (VmHWM), set back before the work begins: it sees what extension
modules and SQLite take, as Python's own tracing does not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import holdfast
import orjson

from ..workload import changing


def main(what: str, path: Path, amount: int) -> None:
    """Print the growth, and for saves what it is measured by."""
    print(json.dumps(_PROGRAMS[what](path, amount)))


def growth_of(work: Callable[[], object]) -> int:
    """Return by how many bytes the peak of this process's memory grows during *work*."""
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to what is held now
    before = _status("VmRSS")
    work()
    return _status("VmHWM") - before


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def _save(path: Path, size: int) -> dict[str, int]:
    """Save a state for the first time, then with a small change; the state itself is there."""
    states = changing(size)
    state = next(states)
    with holdfast.open(path) as engine:
        engine.checkpoint("other", state={})
        first = growth_of(lambda: engine.checkpoint("run", state=state))
        next(states)
        second = growth_of(lambda: engine.checkpoint("run", state=state))
    return {"first": first, "changed": second, "size": len(orjson.dumps(state))}


def _list(path: Path, count: int) -> dict[str, int]:
    """List checkpoints, a page after the other, and keep none."""

    def page_through(engine: holdfast.Engine) -> int:
        seen, oldest = 0, None
        while found := engine.list("run", older_than_id=oldest, limit=1_000):
            seen += len(found)
            oldest = found[-1].id
        return seen

    with holdfast.open(path) as engine:
        engine.list("run", limit=1_000)
        growth = growth_of(lambda: page_through(engine))
        assert page_through(engine) == count
    return {"growth": growth}


def _purge(path: Path, count: int) -> dict[str, int]:
    with holdfast.open(path) as engine:
        purge: Any = getattr(engine, "purge")  # noqa: B009 - of a later version
        return {"growth": growth_of(lambda: purge(workflow="run", keep=10))}


def _export(path: Path, count: int) -> dict[str, int]:
    with holdfast.open(path) as engine:
        export: Any = getattr(engine, "export_to")  # noqa: B009 - of a later version
        target = f"json:{path.with_suffix('.exported')}"
        return {"growth": growth_of(lambda: export(target))}


_PROGRAMS = {"save": _save, "list": _list, "purge": _purge, "export": _export}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
