"""How much memory saving takes, and whether what goes through a whole history stays flat."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

import holdfast

from ..bench import Bench
from ..figure import Figure, missing, plain
from ..goal import Goal, at_most
from ..interleave import LEAST_ROUNDS
from ..row import Row
from ..sides.histories import patched

_ROOT = Path(__file__).parents[3]
_SAVE, _CHANGED = "saving 10 MB, times the state", "saving it changed, times the state"
_SAVES = {_SAVE: at_most(5), _CHANGED: at_most(5)}
# Flat: ten times as many checkpoints take no more than this on top, which is less than
# a hundredth of what holding them would take.
_FLAT = at_most(3, "MB")
_LISTS = "listing 100,000, over listing 10,000"
_WALKS = {
    _LISTS: ("list", "list"),
    "purging 100,000, over 10,000": ("purge", "purge"),
    "exporting 100,000, over 10,000": ("export", "export_to"),
}
_GOALS: dict[str, Goal] = {**_SAVES, **dict.fromkeys(_WALKS, _FLAT)}


def _measure(bench: Bench) -> list[Figure]:
    if not Path("/proc/self/clear_refs").exists():
        why = "skipped: needs Linux's /proc to read a peak"
        return [missing(text, goal, why) for text, goal in _GOALS.items()]
    return [*_saves(bench), *_walks(bench)]


def _saves(bench: Bench) -> list[Figure]:
    seen: dict[str, list[float]] = {_SAVE: [], _CHANGED: []}
    for _ in range(LEAST_ROUNDS):
        with bench.room() as room:
            found = _peak("save", room / "store.db", 10_000_000)
        seen[_SAVE].append(found["first"] / found["size"])
        seen[_CHANGED].append(found["changed"] / found["size"])
        bench.told()
    return [
        plain(text, _SAVES[text], median(values), spread=(min(values), max(values)))
        for text, values in seen.items()
    ]


def _walks(bench: Bench) -> list[Figure]:
    few, many = bench.size(10_000, 2_000), bench.size(100_000, 20_000)
    note = f"quick: {many:,} against {few:,}" if bench.quick else None
    figures = []
    with bench.room() as room:
        stores = {count: room / f"{count}.db" for count in (few, many)}
        for count, path in stores.items():
            patched(path, count)
        for text, (what, method) in _WALKS.items():
            if not hasattr(holdfast.Engine, method):
                figures.append(missing(text, _FLAT, "not built yet"))
                continue
            extra = []
            for _ in range(LEAST_ROUNDS):
                peaks = {count: _walk(what, path, count) for count, path in stores.items()}
                extra.append((peaks[many] - peaks[few]) / 1e6)
            spread = (min(extra), max(extra))
            figures.append(plain(text, _FLAT, median(extra), spread=spread, note=note))
            bench.told()
    return figures


def _walk(what: str, path: Path, count: int) -> int:
    """Return the growth, of a copy where the store is changed."""
    if what == "list":
        return _peak(what, path, count)["growth"]
    copied = path.with_name("copied.db")
    shutil.copyfile(path, copied)
    try:
        return _peak(what, copied, count)["growth"]
    finally:
        for each in path.parent.glob("copied*"):
            shutil.rmtree(each) if each.is_dir() else each.unlink()


def _peak(what: str, path: Path, amount: int) -> dict[str, int]:
    program = [sys.executable, "-m", "tests.benchmarks.programs.peak_memory"]
    done = subprocess.run(
        [*program, what, str(path), str(amount)], cwd=_ROOT, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    found: dict[str, int] = json.loads(done.stdout)
    return found


MEMORY = Row("memory", "memory", _GOALS, _measure)
