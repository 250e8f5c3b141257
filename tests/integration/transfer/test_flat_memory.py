"""Large stores pass through in little memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import holdfast

# Of the store, whose states are of 20 KB; so that differences, keyframes and pages come in.
_CHECKPOINTS = 1_200
_MOST = 6 << 20


def test_transfer_when_the_store_is_large_then_memory_stays_small(tmp_path: Path) -> None:
    with holdfast.open(tmp_path / "a.db", durability="process") as engine:
        for count in range(_CHECKPOINTS):
            engine.checkpoint(f"wf {count % 7}", state={"n": count, "text": f"{count} " * 4000})
        with holdfast.open(tmp_path / "b.db", durability="process") as other:
            tracemalloc.start()
            try:
                engine.export_to(tmp_path / "a.jsonl")
                other.import_from(tmp_path / "a.jsonl")
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()

    size = (tmp_path / "a.jsonl").stat().st_size
    assert size > 2 * _MOST
    assert peak < _MOST, f"{peak:,} bytes for an export of {size:,}"
