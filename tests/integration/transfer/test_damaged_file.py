"""A file that was cut short or edited: the line and the reason, and nothing is imported."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import holdfast
import pytest
import zstandard
from holdfast.infrastructure.export_file.lines import LineWriter


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[bytes], holdfast.ExportDamaged]:
    """Import a content that is to be refused; return the error."""

    def try_it(content: bytes) -> holdfast.ExportDamaged:
        path = tmp_path / "damaged.jsonl"
        path.write_bytes(content)
        with holdfast.open("memory:") as engine:
            with pytest.raises(holdfast.ExportDamaged) as caught:
                engine.import_from(path)
            assert not engine.workflows() and not engine.events()
        return caught.value

    return try_it


Refused = Callable[[bytes], holdfast.ExportDamaged]


def test_import_when_cut_within_a_line_then_that_line_is_named(
    exported: bytes, refused: Refused
) -> None:
    lines = exported.splitlines(keepends=True)

    found = refused(b"".join(lines[:40]) + lines[40][:-5])

    assert (found.line, found.reason) == (41, "the line is cut short")


def test_import_when_cut_between_lines_then_the_missing_one_is_named(
    exported: bytes, refused: Refused
) -> None:
    lines = exported.splitlines(keepends=True)

    found = refused(b"".join(lines[:40]))

    assert (found.line, found.reason) == (41, "it ends here, without its last line")


def test_import_when_a_value_was_edited_then_that_line_is_named(
    exported: bytes, refused: Refused
) -> None:
    lines = exported.splitlines(keepends=True)
    at = next(place for place, each in enumerate(lines) if b'"patched":{"by":7}' in each)
    lines[at] = lines[at].replace(b'"by":7', b'"by":8')

    found = refused(b"".join(lines))

    assert (found.line, found.reason) == (at + 1, "its check does not match: the line was changed")


@pytest.mark.parametrize("how", ["missing", "twice", "swapped"])
def test_import_when_whole_lines_were_moved_then_refused(
    exported: bytes, refused: Refused, how: str
) -> None:
    lines = exported.splitlines(keepends=True)
    if how == "missing":
        del lines[-3]
    elif how == "twice":
        lines.insert(-3, lines[-3])
    else:
        lines[-3], lines[-2] = lines[-2], lines[-3]

    found = refused(b"".join(lines))

    assert found.line == len(lines)
    assert "lines before it" in found.reason


def test_import_when_something_comes_after_the_end_then_refused(
    exported: bytes, refused: Refused
) -> None:
    assert "after the last line" in refused(exported + b"\n").reason


@pytest.mark.parametrize(
    "content",
    [b"", b"{}\n", b"SQLite format 3\x00", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xff" * 99],
)
def test_import_when_it_is_no_export_then_refused(content: bytes, refused: Refused) -> None:
    assert refused(content).line <= 1


@pytest.mark.parametrize("pack", ["plain", "gzip", "zstandard"])
def test_import_when_cut_anywhere_or_any_byte_is_flipped_then_refused_or_equal(
    exported: bytes, tmp_path: Path, pack: str
) -> None:
    whole = {
        "plain": lambda: exported,
        "gzip": lambda: gzip.compress(exported),
        "zstandard": lambda: zstandard.ZstdCompressor(write_checksum=True).compress(exported),
    }[pack]()
    draw = random.Random(pack)
    outcomes = {"refused": 0, "equal": 0}
    for turn in range(150):
        place = draw.randrange(len(whole)) if turn > 20 else turn  # the beginning for sure
        if turn % 3:
            flipped = whole[place] ^ (1 << draw.randrange(8))
            content = whole[:place] + bytes([flipped]) + whole[place + 1 :]
        else:
            content = whole[:place]
        outcomes[_import(content, exported, tmp_path / f"{turn}.jsonl")] += 1

    assert outcomes["refused"] > 100
    if pack == "plain":
        assert outcomes["equal"] == 0


def _import(content: bytes, exported: bytes, path: Path) -> str:
    path.write_bytes(content)
    with holdfast.open("memory:") as engine:
        try:
            engine.import_from(path)
        except (holdfast.ExportDamaged, holdfast.SchemaTooNew):
            assert not engine.workflows() and not engine.events()
            return "refused"
        engine.export_to(path.with_suffix(".again"))
    assert path.with_suffix(".again").read_bytes() == exported
    return "equal"


def test_import_when_the_format_is_newer_then_it_says_so(exported: bytes, tmp_path: Path) -> None:
    rest = exported.splitlines(keepends=True)[0].partition(b",")[2].replace(b":1}", b":2}")
    path = tmp_path / "newer.jsonl"
    path.write_bytes(b'{"check":"%08x",' % zlib.crc32(rest) + rest)

    with holdfast.open("memory:") as engine, pytest.raises(holdfast.SchemaTooNew, match="schema 2"):
        engine.import_from(path)


CHECKPOINT = {
    "number": 1, "id": "wf@1", "type": "progress", "status": "completed", "name": None,
    "kind": None, "created_at": "2026-03-01T12:00:00.000000+00:00",
    "updated_at": "2026-03-01T12:00:00.000000+00:00", "parent_id": None, "depends_on": [],
    "resume_handler": None, "retry_count": 0, "max_retries": 3, "written_in": 0, "epoch": 0,
    "error": None, "reason": None, "due_at": None, "schema_version": 1, "metadata": {},
}  # fmt: skip

SCOPE: dict[str, object] = {
    "stage_id": None, "agent_id": None, "state": {}, "title": None, "kind": None, "handler": None,
    "input": None, "output": None, "opening": None, "since": None, "until": None,
    "is_open": False, "is_finished": False,
}  # fmt: skip

WORKFLOW = {
    "workflow_id": "wf", "last_sequence": 3, "opening": None, "retention_days": None,
    "retention_count": None, "purged": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "wf"}, "must read workflow@1"),
        ({"id": 7}, "id of the checkpoint is not a string"),
        ({"number": 0}, "number of the checkpoint is not an integer"),
        ({"number": True}, "number of the checkpoint is not an integer"),
        ({"number": 2**70}, "number of the checkpoint is not an integer"),
        ({"type": "nonsense"}, "not a word that this version knows"),
        ({"created_at": "yesterday"}, "not a time"),
        ({"created_at": "2026-03-01T12:00:00"}, "not a time"),
        ({"parent_id": "wf@9"}, "does not come after its parent"),
        ({"id": "wf@2", "parent_id": "wf@1"}, "wf@1"),
        ({"id": "wf@2", "parent_id": "other@1"}, "other@1"),
        ({"name": "\ud800"}, "lone surrogate"),
        ({"state": {"a": "\ud800"}}, "lone surrogate"),
        ({"metadata": {"a": 2**70}}, "64 bits"),
        ({"metadata": []}, "metadata of the checkpoint is not an object"),
        ({"depends_on": "wf@1"}, "not an array"),
        ({"epoch": 1, "written_in": 2}, "below written_in"),
        ({"state": {}, "patch": {}}, "a state and a patch"),
        ({"state": [1]}, "state of the checkpoint is not an object"),
        ({"patch": "x"}, "patch of the checkpoint is not an object"),
        ({"error": {"type": "E", "message": "m"}}, "its error has no traceback"),
        ({"extra": 1}, "has extra, unknown here"),
        ({"base": [SCOPE]}, "a base and no parent"),
        ({"id": "wf@2", "parent_id": "wf@1", "base": {}}, "base of the checkpoint is not an array"),
        ({"id": "wf@2", "parent_id": "wf@1", "base": []}, "does not speak of wf"),
        ({"id": "wf@2", "parent_id": "wf@1", "base": [{"stage_id": 1}]}, "stage_id of a scope"),
        ({"id": "wf@2", "parent_id": "wf@1", "base": [SCOPE, SCOPE]}, "has wf twice"),
        ({"id": "wf@2", "parent_id": "wf@1", "base": [SCOPE | {"is_open": 1}]}, "true nor false"),
        ({"id": "wf@2", "parent_id": "wf@1", "base": [SCOPE | {"x": 1}]}, "has x, unknown here"),
        ({"id": "wf@2", "parent_id": "wf@1", "base": [SCOPE | {"state": 1}]}, "not an object"),
        ({"id": "wf@2", "parent_id": "wf@1", "base": [SCOPE | {"input": "\ud800"}]}, "surrogate"),
    ],
    ids=str,
)
@pytest.mark.parametrize("target", ["memory:", "", "json:"])
def test_import_when_made_by_hand_and_wrong_then_its_line_and_what_is_wrong(
    tmp_path: Path, change: dict[str, object], reason: str, target: str
) -> None:
    path = tmp_path / "made.jsonl"
    with path.open("wb") as file:
        lines = LineWriter(file)
        lines.put("checkpoint", CHECKPOINT | change)
        lines.finish()

    place = target if target == "memory:" else f"{target}{tmp_path / 'b'}"
    with holdfast.open(place) as engine:
        with pytest.raises(holdfast.ExportDamaged) as caught:
            engine.import_from(path)
        assert engine.events() == []

    assert caught.value.line == 2
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("kind", "first", "second", "reason"),
    [
        ("checkpoint", {}, {"number": 2}, "wf@1 does not come after sequence 1"),
        ("checkpoint", {}, {"id": "wf@2"}, "number 1 is not above 1"),
        (
            "checkpoint",
            {},
            {"id": "wf@2", "number": 2, "parent_id": "wf@1", "base": [SCOPE]},
            "has a base, and its parent wf@1 is there",
        ),
        ("workflow", {}, {"purged": [[1, 2]]}, "no first and last sequence and time"),
        ("workflow", {}, {"purged": [[2, 1, "2026-03-01T12:00:00.000000+00:00"]]}, "from 2 to 1"),
        ("workflow", {}, {"purged": [[0, 1, "2026-03-01T12:00:00.000000+00:00"]]}, "first of what"),
        ("workflow", {}, {"purged": [[1, 1, "soon"]]}, "at of what was purged is not a time"),
        (
            "workflow",
            {},
            {"purged": [[n, n, "2026-03-01T12:00:00.000000+00:00"] for n in (2, 1)]},
            "not in order",
        ),
        ("workflow", {}, {"retention_days": "long"}, "retention_days of the workflow"),
        ("workflow", {}, {"retention_days": -1.0}, "give 0 or more"),
    ],
    ids=str,
)
@pytest.mark.parametrize("target", ["memory:", "", "json:"])
def test_import_when_the_second_line_is_wrong_then_it_is_named_and_nothing_is_there(
    tmp_path: Path,
    kind: str,
    first: dict[str, object],
    second: dict[str, object],
    reason: str,
    target: str,
) -> None:
    path = tmp_path / "made.jsonl"
    with path.open("wb") as file:
        lines = LineWriter(file)
        lines.put("checkpoint", CHECKPOINT | first)
        lines.put(kind, (CHECKPOINT if kind == "checkpoint" else WORKFLOW) | second)
        lines.finish()

    with holdfast.open(target if target == "memory:" else f"{target}{tmp_path / 'b'}") as engine:
        with pytest.raises(holdfast.ExportDamaged) as caught:
            engine.import_from(path)
        assert engine.events() == [] and engine.list() == []

    assert caught.value.line == 3
    assert reason in caught.value.reason


def test_import_when_a_number_is_further_than_a_json_store_can_leave_out_then_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "made.jsonl"
    with path.open("wb") as file:
        lines = LineWriter(file)
        lines.put("checkpoint", CHECKPOINT | {"number": 2**63 - 1})
        lines.finish()

    with holdfast.open(f"json:{tmp_path / 'b'}") as engine:
        with pytest.raises(holdfast.ExportDamaged, match="cannot leave out so many"):
            engine.import_from(path)
        assert engine.events() == []


@pytest.mark.parametrize("name", ["", "a\nb", "\tpurge", "x" * 201])
def test_import_when_an_event_is_of_what_no_workflow_can_be_called_then_refused(
    tmp_path: Path, name: str
) -> None:
    event = {
        "number": 1, "kind": "resumed", "workflow_id": name, "at": CHECKPOINT["created_at"],
        "checkpoint_id": None, "epoch": 0, "correlation_id": None, "detail": {},
    }  # fmt: skip
    path = tmp_path / "made.jsonl"
    with path.open("wb") as file:
        lines = LineWriter(file)
        lines.put("event", event)
        lines.finish()

    with holdfast.open(tmp_path / "b.db") as engine:
        with pytest.raises(holdfast.ExportDamaged, match=r"line 2.*workflow_id .* is not valid"):
            engine.import_from(path)
        assert engine.events() == []


def test_import_when_made_by_hand_and_right_then_taken(tmp_path: Path) -> None:
    path = tmp_path / "made.jsonl"
    with path.open("wb") as file:
        lines = LineWriter(file)
        lines.put("checkpoint", CHECKPOINT | {"state": {"a": 1}})
        lines.finish()

    with holdfast.open("memory:") as engine:
        engine.import_from(path)
        assert engine.context("wf").workflow_state == {"a": 1}


def test_check_when_computed_as_the_documentation_says_then_it_is_that(exported: bytes) -> None:
    for line in exported.splitlines(keepends=True):
        rest = line.partition(b",")[2]
        assert json.loads(line)["check"] == f"{zlib.crc32(rest):08x}"
