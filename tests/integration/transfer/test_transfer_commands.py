"""`holdfast export` and `holdfast import`, as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import holdfast
import pytest

SOURCES = Path(holdfast.__file__).parent.parent


def _holdfast(
    folder: Path, *arguments: str, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    command = [sys.executable, "-m", "holdfast", *arguments]
    return subprocess.run(
        command, input=stdin, capture_output=True, cwd=folder, env=environment, check=False
    )


def test_export_and_import_when_piped_then_the_stores_are_equal(
    full_store: Path, exported: bytes, tmp_path: Path
) -> None:
    out = _holdfast(tmp_path, "--store", str(full_store), "export", "-")
    back = _holdfast(tmp_path, "--store", "b.db", "--json", "import", "-", stdin=out.stdout)

    assert out.stdout == exported
    assert b"exported to -: " in out.stderr
    assert json.loads(back.stdout)["checkpoints"] > 90
    assert _holdfast(tmp_path, "--store", "b.db", "export", "-").stdout == exported


@pytest.mark.parametrize("made", [True, False])
def test_import_when_the_file_was_cut_short_then_one_line_says_where_and_no_store_is_there(
    exported: bytes, tmp_path: Path, made: bool
) -> None:
    (tmp_path / "cut.jsonl").write_bytes(exported[:5000])
    if made:
        holdfast.open(tmp_path / "b.db").close()

    found = _holdfast(tmp_path, "--store", "b.db", "import", "cut.jsonl")

    line = exported[:5000].count(b"\n") + 1
    assert found.returncode == 5
    assert found.stderr.startswith(f"holdfast: cut.jsonl, line {line}: the line is cut".encode())
    assert found.stderr.count(b"\n") == 1
    assert (tmp_path / "b.db").exists() == made
    assert not list(tmp_path.glob(".holdfast*"))


def test_export_when_to_a_store_or_over_a_file_then_done_or_refused(
    full_store: Path, exported: bytes, tmp_path: Path
) -> None:
    to_store = _holdfast(tmp_path, "--store", str(full_store), "export", "copy.db")
    again = _holdfast(tmp_path, "--store", str(full_store), "export", "copy.db")
    over = _holdfast(tmp_path, "--store", "copy.db", "import", "full.jsonl")
    missing = _holdfast(tmp_path, "--store", "slip.db", "export", "-")

    assert to_store.stdout.startswith(b"exported to copy.db: ")
    assert [each.returncode for each in (to_store, again, over, missing)] == [0, 4, 4, 5]
    assert not (tmp_path / "slip.db").exists()
    with holdfast.open(tmp_path / "copy.db") as engine:
        engine.export_to(tmp_path / "copy.jsonl")
    assert (tmp_path / "copy.jsonl").read_bytes() == exported
