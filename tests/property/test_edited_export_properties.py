"""An export that was edited, its checks put right: imported whole, or refused with its line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import holdfast
import pytest
from holdfast.infrastructure.export_file.lines import LineWriter
from hypothesis import given, settings
from hypothesis import strategies as st

from .everything_asked import fill

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)
MANY = settings(SETTINGS, max_examples=1000)

PLACES = st.floats(0, 1, exclude_max=True)
WRONG = st.sampled_from(
    [None, True, 0, -1, 2**40, 2**70, 1.5, "", "x", "a\nb", "\ud800", "flight@3", "9999-99-99"]
    + [[], {}, ["x"], {"x": 1}, "2026-01-01T00:00:00", "../../outside", "a/b/c/d@1"]
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the lines of an export, without its header and its end."""
    folder = tmp_path_factory.mktemp("export")
    fill(str(folder / "store.db"))
    with holdfast.open(folder / "store.db") as engine:
        try:
            engine.delete(workflow_id="a/b", force=True)  # its beginning was purged
        finally:
            engine.export_to(folder / "all.jsonl")
    return [json.loads(line) for line in (folder / "all.jsonl").read_bytes().splitlines()[1:-1]]


def require_whole_or_refused(
    exported: list[dict[str, Any]], which: float, place: float, wrong: Any, target: str
) -> None:
    lines = json.loads(json.dumps(exported))
    holders = list(_holders(lines[int(which * len(lines))]["data"]))
    holder, key = holders[int(place * len(holders))]
    holder[key] = wrong
    content = io.BytesIO()
    writer = LineWriter(content)
    for each in lines:
        writer.put(each["kind"], each["data"])
    writer.finish()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "edited.jsonl"
        path.write_bytes(content.getvalue())
        with holdfast.open(target.format(folder)) as engine:
            taken = True
            try:
                engine.import_from(path)
            except holdfast.HoldfastError:
                taken = False
            assert bool(engine.workflows() and engine.events()) is taken
            assert taken or not (engine.workflows() or engine.events())
            assert engine.verify().intact
        assert not [each for each in Path(folder).iterdir() if "outside" in each.name]


def _holders(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value if isinstance(value, dict) else range(len(value)) if type(value) is list else ()
    for key in keys:
        yield value, key
        yield from _holders(value[key])


@SETTINGS
@given(PLACES, PLACES, WRONG)
def test_import_when_a_value_was_edited_checks_and_all_then_whole_or_nothing(
    exported: list[dict[str, Any]], which: float, place: float, wrong: Any
) -> None:
    require_whole_or_refused(exported, which, place, wrong, "memory:")


@pytest.mark.deep
@MANY
@given(PLACES, PLACES, WRONG, st.sampled_from(["memory:", "{}/store.db", "json:{}/files"]))
def test_import_when_values_were_edited_in_thousands_of_ways_then_whole_or_nothing(
    exported: list[dict[str, Any]], which: float, place: float, wrong: Any, target: str
) -> None:
    require_whole_or_refused(exported, which, place, wrong, target)
