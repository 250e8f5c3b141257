"""Everything of a store, in a file and in another store."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import holdfast
import pytest
import zstandard
from holdfast.infrastructure.clock import ManualClock

Seen = Callable[[holdfast.Engine], dict[str, Any]]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("e.jsonl", "other.db"),
        ("e.jsonl", "json:other"),
        ("e.jsonl", "memory:"),
        ("e.jsonl.gz", "memory:"),
        ("e.zst", "memory:"),
        ("e.db", "json:other"),
        ("json:e", "other.db"),
    ],
)
def test_import_when_of_an_export_then_everything_is_equal_and_so_is_its_own_export(
    full_target: str,
    exported_target: bytes,
    tmp_path: Path,
    name: str,
    target: str,
    seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with holdfast.open(full_target) as engine:
        moved = engine.export_to(name)
        expected = seen(engine)
    with holdfast.open(target) as other:
        back = other.import_from(name)
        found = seen(other)
        other.export_to("again.jsonl")
        intact = target.startswith("memory") or other.verify().intact

    for call, told in expected.items():
        assert found[call] == told, call
    assert Path("again.jsonl").read_bytes() == exported_target
    assert intact
    assert (back.checkpoints, back.events, back.workflows, back.leases, back.attempts) == (
        moved.checkpoints,
        moved.events,
        moved.workflows,
        moved.leases,
        moved.attempts,
    )
    assert moved.checkpoints > 140
    assert min(moved.events, moved.leases, moved.attempts) > 5


def test_import_when_done_then_sequences_numbers_and_epochs_go_on_from_where_they_were(
    full_store: Path, tmp_path: Path
) -> None:
    with holdfast.open(full_store) as engine, holdfast.open(tmp_path / "b.db") as other:
        other.import_from(engine)
        for each in (engine, other):
            with each.run("failing", handler="h") as run:
                assert run.epoch == 2
            each.checkpoint("record", patch={"after": True})
        ours, theirs = (
            [(each.number, each.kind, each.epoch, each.checkpoint_id) for each in found]
            for found in (engine.events(limit=10_000), other.events(limit=10_000))
        )

    assert ours == theirs


def test_export_when_compressed_then_it_holds_the_same_lines(
    full_store: Path, exported: bytes, tmp_path: Path
) -> None:
    with holdfast.open(full_store) as engine:
        engine.export_to(tmp_path / "e.gz")
        engine.export_to(tmp_path / "f.GZ")
        engine.export_to(tmp_path / "e.zstd")

    assert gzip.decompress((tmp_path / "e.gz").read_bytes()) == exported
    assert (tmp_path / "e.gz").read_bytes() == (tmp_path / "f.GZ").read_bytes()
    with zstandard.open(tmp_path / "e.zstd", "rb") as unpacked:
        assert unpacked.read() == exported


def test_export_when_states_and_patches_were_handed_in_then_it_has_them_as_they_were(
    exported: bytes,
) -> None:
    documents = [json.loads(line) for line in exported.splitlines()]
    own = [
        {name: each["data"][name] for name in ("state", "patch") if name in each["data"]}
        for each in documents
        if each["kind"] == "checkpoint" and each["data"]["id"].startswith("record@")
    ]

    assert own[:2] == [
        {"state": {"n": 0, "text": "x" * 5000}},
        {"patch": {"patched": {"by": 0}, "text": None}},
    ]
    assert all(len(each) == 1 for each in own)
    numbers = [each["data"].get("number") for each in documents]
    history = [
        number
        for number, each in zip(numbers, documents, strict=True)
        if each["kind"] in ("checkpoint", "event")
    ]
    assert history == sorted(history)


@pytest.mark.parametrize("name", ["e.jsonl", "e.db"])
def test_export_when_made_then_its_owner_alone_can_read_it_and_nothing_lies_beside(
    full_store: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    before = os.umask(0)
    try:
        with holdfast.open(full_store) as engine:
            engine.export_to(folder / name)
    finally:
        os.umask(before)

    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert [each.name for each in folder.iterdir()] == [name]


@pytest.mark.parametrize("name", ["e.jsonl", "e.db", "json:e"])
def test_export_when_something_is_there_then_it_is_not_touched(
    full_store: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    there = tmp_path / name.removeprefix("json:")
    there.write_text("mine")

    with holdfast.open(full_store) as engine, pytest.raises(holdfast.TargetExists) as caught:
        engine.export_to(name)

    assert caught.value.target == str(there)
    assert there.read_text() == "mine"
    assert not list(tmp_path.glob(".holdfast*"))


def test_export_when_the_folder_is_missing_then_storage_unavailable(
    full_store: Path, tmp_path: Path
) -> None:
    with holdfast.open(full_store) as engine:
        for name in ("e.jsonl", "e.db"):
            with pytest.raises(holdfast.StorageUnavailable, match="cannot be"):
                engine.export_to(tmp_path / "nowhere" / name)


def test_import_when_the_store_holds_something_then_refused_and_nothing_changes(
    full_store: Path, tmp_path: Path, exported: bytes, seen: Seen
) -> None:
    assert exported
    with holdfast.open(tmp_path / "b.db") as other:
        other.checkpoint("mine")
        before = seen(other)
        for source in (tmp_path / "full.jsonl", full_store):
            with pytest.raises(holdfast.StoreNotEmpty):
                other.import_from(source)
        assert seen(other) == before


@pytest.mark.parametrize("place", ["", "memory:", "a\0b", 3])
def test_export_when_the_target_is_no_place_then_the_request_is_refused(place: Any) -> None:
    with holdfast.open("memory:") as engine:
        with pytest.raises(holdfast.InvalidRequest):
            engine.export_to(place)
        with pytest.raises(holdfast.InvalidRequest):
            engine.import_from(place)
        with pytest.raises(holdfast.InvalidRequest, match="the same store"):
            engine.import_from(engine)


def test_import_when_the_source_is_missing_then_storage_unavailable(tmp_path: Path) -> None:
    with holdfast.open("memory:") as engine:
        for name in ("e.jsonl", "e.db"):
            with pytest.raises(holdfast.StorageUnavailable):
                engine.import_from(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_export_when_a_row_is_damaged_then_it_is_named_and_nothing_is_there(
    full_store: Path, tmp_path: Path
) -> None:
    raw = sqlite3.connect(full_store)
    raw.execute("UPDATE checkpoints SET body = x'7b7d' WHERE sequence = 60 AND stage_id IS NULL")
    raw.commit()
    raw.close()

    with holdfast.open(full_store) as engine:
        for name in ("e.jsonl", "e.db"):
            with pytest.raises(holdfast.CheckpointCorrupted, match="record@"):
                engine.export_to(tmp_path / name)
    assert [each.name for each in tmp_path.iterdir()] == ["full.db"]


def test_progress_when_asked_for_then_told_up_to_the_end_while_others_may_write(
    full_store: Path, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    with holdfast.open(full_store) as engine:

        def note(done: int, total: int) -> None:
            engine.checkpoint("meanwhile")  # no lock is held
            told.append((done, total))

        moved = engine.export_to(tmp_path / "e.jsonl", progress=note)

    everything = moved.checkpoints + moved.events + moved.workflows + moved.leases + moved.attempts
    assert told[-1] == (everything, everything)
    assert told == sorted(told)


def test_progress_when_it_raises_then_nothing_is_imported(tmp_path: Path, exported: bytes) -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Enough

    many = tmp_path / "many.db"
    with holdfast.open(many) as engine:
        for _ in range(3):
            with pytest.raises(Enough):
                engine.import_from(_slow_pipe(tmp_path, exported), progress=stop)
            assert engine.list() == []


def _slow_pipe(folder: Path, content: bytes) -> holdfast.Engine:
    """An engine whose store takes longer to read than the first telling takes to come."""
    engine = holdfast.open("memory:")
    (folder / "slow.jsonl").write_bytes(content)
    engine.import_from(folder / "slow.jsonl")
    for count in range(3_000):
        engine.checkpoint("long", state={"count": count, "text": "y" * 200})
    return engine


def test_async_engine_when_exporting_and_importing_then_the_same(
    full_store: Path, exported: bytes, tmp_path: Path
) -> None:
    async def move() -> None:
        async with holdfast.open_async(full_store) as engine:
            await engine.export_to(tmp_path / "a.jsonl")
        async with holdfast.open_async(tmp_path / "b.db") as other:
            await other.import_from(tmp_path / "a.jsonl")
            await other.export_to(tmp_path / "b.jsonl")

    asyncio.run(move())

    assert (tmp_path / "a.jsonl").read_bytes() == exported
    assert (tmp_path / "b.jsonl").read_bytes() == exported


def test_import_when_the_engine_has_a_log_then_what_happened_long_ago_is_not_told_anew(
    tmp_path: Path, exported: bytes
) -> None:
    assert exported
    log = tmp_path / "log"
    with holdfast.open(tmp_path / "b.db", log=holdfast.Log(file=str(log), level="debug")) as engine:
        engine.import_from(tmp_path / "full.jsonl")

    assert "lease_taken" not in (log.read_text() if log.exists() else "")


def test_import_when_a_workflow_has_a_retention_of_its_own_then_it_comes_along(
    tmp_path: Path, exported: bytes
) -> None:
    own = [
        document["data"]
        for document in map(json.loads, exported.splitlines())
        if document["kind"] == "workflow" and document["data"]["workflow_id"] == "record"
    ]
    with holdfast.open("memory:") as other:
        other.import_from(tmp_path / "full.jsonl")
        other.export_to(tmp_path / "again.jsonl")

    assert (own[0]["retention_days"], own[0]["retention_count"]) == (7.0, 5)
    assert (tmp_path / "again.jsonl").read_bytes() == exported


@pytest.mark.parametrize("kind", ["store.db", "json:files", "memory:"])
def test_export_when_the_store_was_purged_before_then_the_claim_to_do_so_is_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with holdfast.open(kind) as engine, holdfast.open("memory:") as other:
        engine.checkpoint("w", state={"n": 1})
        engine.purge(keep=3)
        engine.delete("w")
        engine.checkpoint("w", state={"n": 2})

        engine.export_to(tmp_path / "all.jsonl")
        other.import_from(tmp_path / "all.jsonl")
        other.purge(keep=3)

        assert other.latest("w").state == {"n": 2}
    assert b"purge" not in (tmp_path / "all.jsonl").read_bytes().replace(b"purged", b"")


def test_export_when_the_beginning_was_purged_then_each_that_lost_its_parent_has_its_base(
    full_target: str, exported_target: bytes
) -> None:
    documents = [json.loads(line) for line in exported_target.splitlines()]
    kept = {each["data"]["id"] for each in documents if each["kind"] == "checkpoint"}
    with holdfast.open(full_target) as engine:
        for each in documents:
            data = each["data"]
            if each["kind"] != "checkpoint":
                continue
            assert ("base" in data) == (
                data["parent_id"] is not None and data["parent_id"] not in kept
            )
            if "base" in data:
                states = [scope["state"] for scope in data["base"] if scope["stage_id"] is None]
                assert states == [engine.context(data["id"]).workflow_state]
    assert sum("base" in each["data"] for each in documents) == 3


def test_export_when_an_ancestor_that_is_needed_is_missing_then_refused_and_nothing_is_there(
    tmp_path: Path,
) -> None:
    with holdfast.open(tmp_path / "broken.db") as engine:
        for count in range(3):
            engine.checkpoint("wf", state={"n": count})
    with closing(sqlite3.connect(tmp_path / "broken.db")) as raw, raw:
        raw.execute("DELETE FROM checkpoints WHERE sequence = 2")

    with holdfast.open(tmp_path / "broken.db") as engine:
        for name in ("e.jsonl", "e.db"):
            with pytest.raises(holdfast.ChainBroken, match="wf@2 is missing"):
                engine.export_to(tmp_path / name)

    assert [each.name for each in tmp_path.iterdir()] == ["broken.db"]


@pytest.mark.parametrize("target", ["other.db", "json:other"])
def test_import_when_histories_were_cut_then_they_go_on_and_are_purged_as_in_the_old_store(
    full_target: str, tmp_path: Path, target: str, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both stores get the same work; what they say of it, but for times, is the same."""
    monkeypatch.chdir(tmp_path)
    clock = ManualClock(datetime(2030, 1, 1, tzinfo=UTC))
    told = []
    with (
        holdfast.open(full_target, clock=clock) as engine,
        holdfast.open(target, clock=clock) as other,
    ):
        other.import_from(engine)
        for each in (engine, other):
            for name in ("cut", "cut and open", "cut and branched", "deleted"):
                for count in range(9):
                    each.checkpoint(name, patch={f"k{count % 7}": count})
                each.checkpoint(name, state={"text": "z" * 5001})
                each.purge(workflow=name, keep=3)
            opening = next(found for found in each.list("cut and open") if found.id.stage_id == "s")
            each.complete(opening.id, {"done": True})
            told.append(seen(each))
            for event in told[-1]["events"]:
                event.detail.pop("bytes", None)  # these depend on how a store keeps them

    for call, expected in told[0].items():
        assert told[1][call] == expected, call


@pytest.mark.parametrize("kind", ["", "json:"])
def test_import_when_the_index_names_what_was_purged_then_it_is_compacted_and_moved_all_the_same(
    tmp_path: Path, kind: str
) -> None:
    """More numbers than one part of the index has, most of them of checkpoints that are gone."""
    source, other = f"json:{tmp_path / 'a'}", f"{kind}{tmp_path / 'b'}"
    with holdfast.open(source) as engine:
        engine.checkpoint("kept", state={"first": True})
        asyncio.run(_write_many(source))
        engine.purge(keep=2)
        engine.checkpoint("kept")
        engine.export_to(tmp_path / "first.jsonl")
        events = engine.events(limit=10_000)
    with holdfast.open(other) as engine:
        engine.import_from(tmp_path / "first.jsonl")
        assert engine.events(limit=10_000) == events
        engine.export_to(tmp_path / "second.jsonl")
        assert engine.checkpoint("kept").id.sequence == 3

    assert events[-1].number is not None and events[-1].number > 1_000 and len(events) < 20
    assert (tmp_path / "first.jsonl").read_bytes() == (tmp_path / "second.jsonl").read_bytes()


async def _write_many(target: str) -> None:
    """Write at once, so that they share transactions."""
    async with holdfast.open_async(target) as engine:
        for _ in range(5):
            await asyncio.gather(
                *(engine.checkpoint(f"wf {n % 4}", patch={"n": n}) for n in range(200))
            )
