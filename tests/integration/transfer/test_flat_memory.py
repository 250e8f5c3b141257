"""Large stores pass through in little memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import holdfast
import pytest

_MOST = 6 << 20


def test_transfer_when_the_store_is_large_then_memory_stays_small(
    tmp_path: Path,
) -> None:
    with _large(tmp_path, 1_200) as large, holdfast.open(tmp_path / "b.db") as other:
        tracemalloc.start()
        try:
            large.export_to(tmp_path / "a.jsonl")
            other.import_from(tmp_path / "a.jsonl")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    size = (tmp_path / "a.jsonl").stat().st_size
    assert size > 2 * _MOST
    assert peak < _MOST, f"{peak:,} bytes for an export of {size:,}"


@pytest.mark.deep
def test_transfer_when_into_a_new_store_of_json_files_and_out_of_it_then_memory_stays_small(
    tmp_path: Path,
) -> None:
    """A store of JSON files is made in portions, each with a journal: flat, but less so."""
    with _large(tmp_path, 3_600) as large:
        large.export_to(tmp_path / "a.jsonl")
        tracemalloc.start()
        try:
            large.export_to(f"json:{tmp_path / 'b'}")
            with holdfast.open(f"json:{tmp_path / 'b'}") as other:
                other.export_to(tmp_path / "b.jsonl")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    size = (tmp_path / "b.jsonl").stat().st_size
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert size > 8 * _MOST
    assert peak < 3 * _MOST, f"{peak:,} bytes for an export of {size:,}"


@contextmanager
def _large(folder: Path, checkpoints: int) -> Iterator[holdfast.Engine]:
    """Give a store whose states are of 20 KB: differences, keyframes and pages come in."""
    with holdfast.open(folder / "a.db", durability="process") as engine:
        for count in range(checkpoints):
            engine.checkpoint(f"wf {count % 7}", state={"n": count, "text": f"{count} " * 4000})
        yield engine
