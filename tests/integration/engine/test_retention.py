"""Purging, consolidating and deleting through the engine."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import holdfast
import pytest
from holdfast.application.retention import delete, removal
from holdfast.domain.json_value import canonical
from holdfast.infrastructure.clock import ManualClock
from holdfast.infrastructure.json_files.retention_store import JsonRetentionStore
from holdfast.infrastructure.sqlite.retention_store import SqliteRetentionStore

from .damaging import cut_payload, edit

OpenEngine = Callable[..., holdfast.Engine]

DAY = 86_400
MOST_ROWS = 50


@pytest.fixture(autouse=True)
def _slices_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let short histories go in many slices."""
    monkeypatch.setattr(removal, "MOST_ROWS", MOST_ROWS)
    monkeypatch.setattr(delete, "MOST_ROWS", MOST_ROWS)


@pytest.fixture
def open_any(open_any: OpenEngine) -> OpenEngine:
    """Return what opens engines that do not sync: what is tested is not what a power cut leaves."""
    return partial(open_any, durability="process")


@pytest.fixture
def open_engine(open_engine: OpenEngine) -> OpenEngine:
    return partial(open_engine, durability="process")


@pytest.fixture
def engine(open_any: OpenEngine) -> holdfast.Engine:
    return open_any()


def _write(engine: holdfast.Engine, count: int, name: str = "wf") -> None:
    for number in range(count):
        engine.checkpoint(name, state={"n": number, "text": "x" * 100})


def _ids(engine: holdfast.Engine, name: str = "wf") -> list[int]:
    return [each.id.sequence for each in engine.list(workflow_id=name, limit=None)]


def _contexts(engine: holdfast.Engine, name: str = "wf") -> dict[str, str]:
    found = engine.list(workflow_id=name, limit=None)
    return {str(each.id): canonical(engine.context(each.id).to_dict()) for each in found}


def test_purge_when_by_the_policy_then_30_days_or_the_newest_1000_stay(
    open_any: OpenEngine, clock: ManualClock
) -> None:
    engine = open_any(clock=clock)
    _write(engine, 3)
    clock.advance(31 * DAY)
    _write(engine, 999)
    assert engine.purge().checkpoints == 2, "the third is among the newest 1000"

    clock.advance(29 * DAY)
    _write(engine, 5)
    assert engine.purge().checkpoints == 1, "the others are not 30 days old"

    clock.advance(2 * DAY)
    assert engine.purge().checkpoints == 4


def test_purge_when_the_store_has_another_policy_then_they_count(
    open_any: OpenEngine, clock: ManualClock
) -> None:
    engine = open_any(clock=clock, retention=holdfast.Retention(1, 2))
    _write(engine, 5)
    assert engine.purge().checkpoints == 0
    clock.advance(2 * DAY)

    assert engine.purge().checkpoints == 3
    assert _ids(engine) == [5, 4]


def test_purge_when_workflows_say_otherwise_then_each_is_held_against_its_own(
    open_any: OpenEngine, clock: ManualClock
) -> None:
    app = holdfast.Registry()

    @app.workflow("short", retention_days=0, retention_count=1)
    def short(run: holdfast.Run) -> int:
        for number in range(4):
            run.checkpoint(state={"n": number})
        return 7

    engine = open_any(clock=clock, registry=app)
    engine.start("short", workflow_id="by-decorator")
    with engine.run("by-run", retention_days=0, retention_count=2) as run:
        for number in range(4):
            run.checkpoint(state={"n": number})
    _write(engine, 4, "later")
    engine.retain("later", days=0, count=3)
    _write(engine, 4, "plain")
    clock.advance(DAY)

    engine.purge()

    assert len(_ids(engine, "by-decorator")) == 2, "its opening stays as well"
    assert len(_ids(engine, "by-run")) == 3
    assert len(_ids(engine, "later")) == 3
    assert len(_ids(engine, "plain")) == 4
    assert engine.start("short", workflow_id="by-decorator") == 7
    engine.retain("later")
    clock.advance(DAY)
    assert engine.purge(workflow="later").checkpoints == 0


def test_purge_when_things_are_open_then_it_says_what_stays_and_why(
    open_any: OpenEngine, clock: ManualClock
) -> None:
    engine = open_any(clock=clock)
    engine.checkpoint("wf", type="workflow_start", resume_handler="h")
    engine.checkpoint("wf", type="stage_start", stage_id="failed")
    engine.checkpoint("wf", type="stage_start", stage_id="open")
    engine.checkpoint("wf", state={"n": 1})
    engine.fail("wf/failed@2", ValueError("no"))
    _write(engine, 3)

    told = engine.purge(keep=1, dry_run=True)

    (found,) = told.workflows
    assert found.kept["in_flight"] + found.kept.get("failed", 0) == 3
    assert found.kept["recent"] == 1
    assert told.looked_at == 1
    before = _contexts(engine)
    report = engine.purge(keep=1)
    assert report.checkpoints == told.checkpoints
    assert report.bytes == told.bytes
    after = _contexts(engine)
    assert after == {name: before[name] for name in after}
    assert {str(each.scope) for each in engine.context("wf").interrupted} >= {"wf", "wf/open"}


def test_purge_when_limits_are_given_then_what_is_set_must_agree(
    open_any: OpenEngine, clock: ManualClock
) -> None:
    engine = open_any(clock=clock)
    for _ in range(6):
        _write(engine, 1)
        clock.advance(DAY)
    now = clock.moment().wall

    assert engine.purge(before=now - timedelta(days=4.5), keep=5, dry_run=True).checkpoints == 1
    assert engine.purge(before=now - timedelta(days=4.5), dry_run=True).checkpoints == 2
    assert engine.purge(max_age=timedelta(days=3.5), dry_run=True).checkpoints == 3
    assert engine.purge(max_bytes=0, dry_run=True).checkpoints == 5
    assert engine.purge(max_bytes=10**9, dry_run=True).checkpoints == 0
    report = engine.purge(max_age=timedelta(days=3.5))
    assert _ids(engine) == [6, 5, 4]
    assert report.checkpoints == 3


def test_purge_when_only_one_workflow_is_named_then_the_others_stay(
    engine: holdfast.Engine,
) -> None:
    _write(engine, 3, "a")
    _write(engine, 3, "b/c")

    assert engine.purge(workflow="b%2Fc", keep=1).checkpoints == 2
    assert engine.purge(workflow_id="b/c", keep=1).checkpoints == 0
    assert len(_ids(engine, "a")) == 3
    with pytest.raises(holdfast.NotFound):
        engine.purge(workflow="d", keep=1)


def test_purge_when_done_then_it_is_in_the_log_and_events_and_attempts_went_along(
    open_any: OpenEngine, clock: ManualClock
) -> None:
    engine = open_any(clock=clock)
    for _ in range(4):
        with suppress(ValueError), engine.run("wf", handler="h", max_retries=9) as run:
            run.checkpoint(state={"n": 1})
            raise ValueError("no")
    attempts = engine.attempts("wf")
    assert len(attempts) == 4

    report = engine.purge(keep=2)

    kept = engine.list(workflow_id="wf", limit=None)
    oldest = kept[-2].id.sequence  # the last is the opening
    assert report.attempts == len(attempts) - len(engine.attempts("wf")) > 0
    assert engine.attempts("wf")[-1] == attempts[-1]
    assert report.events > 0
    told = [each for each in engine.events() if each.kind.value in ("purged", "consolidated")]
    assert [each.kind.value for each in told] == ["consolidated", "purged"]
    assert told[1].detail["checkpoints"] == report.checkpoints
    numbers = [each.number for each in engine.events()]
    assert numbers == sorted(set(numbers))
    assert oldest > 2
    with engine.run("wf", handler="h") as run:
        run.checkpoint(state={"n": 2})
    assert engine.attempts("wf")[-1].number == 5


def test_purge_when_a_writer_starts_again_from_what_goes_then_its_context_is_whole(
    open_any: OpenEngine,
) -> None:
    engine = open_any()
    _write(engine, 3 * MOST_ROWS)
    slices = engine._purge_slices(keep=1)
    # The newest go first, so that the oldest are still there.
    while next(slices).checkpoints < MOST_ROWS:
        pass

    branch = engine.checkpoint("wf", parent="wf@5", patch={"again": True})
    expected = canonical(engine.context(branch.id).to_dict())
    for _ in slices:
        pass

    assert canonical(engine.context(branch.id).to_dict()) == expected
    assert engine.context(branch.id).workflow_state["n"] == 4
    assert set(_ids(engine)) == {branch.id.sequence, 3 * MOST_ROWS}
    with pytest.raises(holdfast.Purged, match=r"wf@5.* was purged at"):
        engine.checkpoint("wf", parent="wf@5", state={})


def test_purge_when_a_finished_scope_lost_its_closing_then_it_is_not_entered_again(
    open_any: OpenEngine,
) -> None:
    engine = open_any()
    engine.checkpoint("wf", resume_handler="h")
    opening = engine.checkpoint("wf", type="stage_start", stage_id="s", input={"i": 1})
    engine.complete(opening.id, {"o": 2})
    _write(engine, 4)
    engine.purge(keep=2)

    assert engine.context("wf").outputs["s"] == {"o": 2}
    with pytest.raises(holdfast.IllegalTransition, match="purged"):
        engine.checkpoint("wf", type="stage_start", stage_id="s")
    engine.checkpoint("wf", type="stage_start", stage_id="t")


def test_start_again_when_the_opening_of_a_scope_was_purged_then_it_is_opened_with_its_input(
    open_any: OpenEngine,
) -> None:
    engine = open_any()
    big = 2**70
    engine.checkpoint("wf", resume_handler="h")
    opening = engine.checkpoint("wf", type="stage_start", stage_id="s", input={"i": big, "f": 1.0})
    inside = engine.checkpoint("wf", state={"n": 1})
    engine.complete(opening.id, {"o": 2})
    _write(engine, 2)
    engine.purge(keep=4)
    assert opening.id.sequence not in _ids(engine)

    engine.checkpoint("wf", parent=inside.id, state={"n": 2})

    (again,) = engine.list("wf", type="stage_start")
    assert again.input == {"i": big, "f": 1.0}
    assert {str(each.scope) for each in engine.context("wf").interrupted} == {"wf", "wf/s"}


def test_fork_when_the_opening_was_purged_then_the_new_workflow_has_what_the_chain_adds_up_to(
    open_any: OpenEngine,
) -> None:
    engine = open_any()
    with engine.run("wf", handler="h", input={"i": 1}) as run:
        run.step("one", lambda: 1)
        run.checkpoint(state={"n": 1})
    old = engine.latest("wf")
    engine.checkpoint("wf", parent=engine.list("wf", limit=None)[1].id, state={"n": 2})
    engine.purge(keep=3)

    forked = engine.fork(old.id, "new")

    assert forked.input == {"i": 1}
    assert engine.context("new").outputs == {"one": 1}


def test_consolidate_when_a_chain_is_deep_then_contexts_stay_and_it_is_logged_once(
    open_any: OpenEngine,
) -> None:
    engine = open_any()
    _write(engine, 40)
    engine.checkpoint("wf", patch={"p": 1})
    before = _contexts(engine)

    report = engine.consolidate("wf")

    assert (str(report.checkpoint_id), report.changed) == ("wf@41", True)
    assert _contexts(engine) == before
    assert engine.consolidate("wf").changed is False
    engine.checkpoint("wf", patch={"p": 2})
    assert engine.context("wf").workflow_state["p"] == 2
    assert [each.kind.value for each in engine.events() if each.kind.value != "created"] == [
        "consolidated"
    ]
    with pytest.raises(holdfast.NotFound):
        engine.consolidate("other")


@pytest.mark.parametrize("count", [4, 2 * MOST_ROWS + 3])
def test_delete_when_a_workflow_is_finished_then_all_of_it_goes_and_nothing_comes_twice(
    open_any: OpenEngine, count: int
) -> None:
    engine = open_any()
    _write(engine, 2, "other")
    with engine.run("wf", handler="h") as run:
        for number in range(count):
            run.checkpoint(state={"n": number})
    there = engine.list("wf", limit=None)
    numbers = {each.number for each in engine.events(limit=10_000)}
    epoch = run.epoch

    report = engine.delete("wf")

    assert report.checkpoints == len(there)
    assert report.attempts == 1
    assert report.events > 0
    assert report.bytes > 0
    for ask in (engine.latest, engine.context, engine.attempts, engine.delete):
        with pytest.raises(holdfast.Purged, match="wf is not there any more"):
            ask("wf")
    with pytest.raises(holdfast.Purged, match="wf@2"):
        engine.get("wf@2")
    assert [each.workflow_id for each in engine.workflows()] == ["other"]
    (told,) = engine.events(workflow="wf")
    assert told.detail["deleted"] is True
    with engine.run("wf", handler="h") as again:
        first = again.checkpoint(state={"n": 0})
    assert again.epoch > epoch
    assert first.id.sequence > there[0].id.sequence
    new = {each.number for each in engine.events(workflow="wf", limit=10_000)}
    assert not new & numbers
    assert engine.context("wf").workflow_state == {"n": 0}


def test_delete_when_it_is_unfinished_then_it_is_refused_and_forced_it_fences(
    open_any: OpenEngine,
) -> None:
    engine = open_any()
    engine.checkpoint("open", resume_handler="h")
    with pytest.raises(holdfast.IllegalTransition, match="force=True"):
        engine.delete("open")
    run = engine.run("wf").__enter__()
    run.checkpoint(state={})
    with pytest.raises(holdfast.LeaseHeld):
        engine.delete("wf")
    engine.delete("wf", force=True)
    with pytest.raises(holdfast.Fenced):
        run.checkpoint(state={})
    assert [each.workflow_id for each in engine.workflows()] == ["open"]
    engine.delete("open", force=True)
    assert engine.workflows() == []


def test_purge_when_another_one_is_under_way_then_it_is_refused_and_the_work_is_done_once(
    open_engine: OpenEngine,
) -> None:
    first, second = open_engine(), open_engine()
    _write(first, 3 * MOST_ROWS)
    slices = first._purge_slices(keep=1)
    next(slices)

    with pytest.raises(holdfast.PurgeUnderWay, match="is being purged by process"):
        second.purge(keep=1)
    assert second.purge(keep=1, dry_run=True).checkpoints > 0

    for _ in slices:
        pass
    assert second.purge(keep=1).checkpoints == 0


def test_purge_when_two_run_at_once_then_each_row_goes_once(open_engine: OpenEngine) -> None:
    engines = [open_engine(), open_engine()]
    for name in ("a", "b", "c"):
        _write(engines[0], MOST_ROWS, name)
    barrier = threading.Barrier(2)
    counts: list[int] = []

    def purge(engine: holdfast.Engine) -> None:
        barrier.wait()
        try:
            counts.append(engine.purge(keep=1).checkpoints)
        except holdfast.PurgeUnderWay:
            counts.append(0)

    threads = [threading.Thread(target=purge, args=(each,)) for each in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == 3 * (MOST_ROWS - 1)
    assert [len(_ids(engines[0], name)) for name in ("a", "b", "c")] == [1, 1, 1]


def test_purge_when_its_process_stopped_for_long_then_the_next_one_takes_over_and_it_ends(
    open_any: OpenEngine, clock: ManualClock
) -> None:
    engine = open_any(clock=clock)
    _write(engine, 3 * MOST_ROWS)
    slices = engine._purge_slices(keep=1)
    next(slices)
    clock.advance(61)

    other = engine.purge(keep=1)

    with pytest.raises(holdfast.PurgeUnderWay):
        next(slices)
    assert other.checkpoints > 2 * MOST_ROWS


def test_purge_when_rows_go_then_no_transaction_takes_many_or_large_ones(
    open_engine: OpenEngine, disk_target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine()
    _write(engine, 1500)
    for number in range(12):
        engine.checkpoint("large", state={"n": number, "noise": _noise(number, 1 << 20)})
    taken: list[tuple[int, int]] = []
    kind = SqliteRetentionStore if disk_target.endswith(".db") else JsonRetentionStore
    remove = kind.remove

    def watched(self: Any, *args: Any) -> Any:
        removed = remove(self, *args)
        taken.append((removed.count, removed.size))
        return removed

    monkeypatch.setattr(kind, "remove", watched)
    report = engine.purge(keep=1)

    assert sum(count for count, _ in taken) == report.checkpoints == 1499 + 11
    assert max(count for count, _ in taken) <= MOST_ROWS
    assert max(size for _, size in taken) <= 6 << 20


def test_purge_when_nine_tenths_go_beside_a_writer_then_the_file_shrinks_and_no_write_fails(
    open_sqlite: OpenEngine, store: Path
) -> None:
    engine, writer = open_sqlite(), open_sqlite()
    for number in range(3000):
        engine.checkpoint("wf", state={"n": number, "noise": _noise(number, 1000)})
    engine._kernel.store.give_back()
    before = store.stat().st_size
    saved: list[int] = []
    failures: list[Exception] = []
    over = threading.Event()

    def save() -> None:
        while not over.is_set():
            try:
                saved.append(writer.checkpoint("live", state={"n": len(saved)}).id.sequence)
            except Exception as error:  # noqa: BLE001 - handed to the test
                failures.append(error)

    thread = threading.Thread(target=save)
    thread.start()
    seen: list[holdfast.PurgeProgress] = []
    report = engine.purge(workflow="wf", keep=300, progress=seen.append)
    over.set()
    thread.join()
    # What the writer added is its own.
    while engine._kernel.store.give_back():
        pass

    assert failures == []
    assert saved == list(range(1, len(saved) + 1))
    assert report.checkpoints == 2700
    assert [each.checkpoints for each in seen] == sorted(each.checkpoints for each in seen)
    assert seen[-1].planned == 2700
    grown = sum(each.size for each in _aged(engine, "live"))
    assert store.stat().st_size <= before * 0.2 + 2 * grown
    free = engine._kernel.store.modes_in_force()  # type: ignore[attr-defined]
    assert free["auto_vacuum"] == 2
    assert _free_pages(store) == 0
    wal = store.with_name(f"{store.name}-wal")
    assert not wal.exists() or wal.stat().st_size == 0


@pytest.mark.deep
def test_purge_when_a_hundred_thousand_go_beside_a_writer_then_it_hardly_waits(
    open_engine: OpenEngine, disk_target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are a twentieth as many: each is synced by itself."""
    monkeypatch.setattr(removal, "MOST_ROWS", 400)
    rows = 100_000 if disk_target.endswith(".db") else 5_000
    engine, writer = open_engine(), open_engine()
    _write(engine, rows)
    over = threading.Event()
    waits: list[float] = []

    def save() -> None:
        while not over.is_set():
            begun = time.monotonic()
            writer.checkpoint("live", state={"n": len(waits)})
            waits.append(time.monotonic() - begun)
            over.wait(0.005)

    thread = threading.Thread(target=save)
    thread.start()
    begun = time.monotonic()
    try:
        report = engine.purge(workflow="wf", keep=100)
    finally:
        took = time.monotonic() - begun
        over.set()
        thread.join()

    waits.sort()
    told = f"{rows / took:,.0f} rows/s; {len(waits)} saves, p99 {waits[len(waits) * 99 // 100]:.3f}"
    print(told, f"s, longest {waits[-1]:.3f} s")
    assert report.checkpoints == rows - 100
    assert len(engine.list("live", limit=None)) == len(waits)
    # Of one slice: a store of files has the lock for as long as it takes to remove 400 of them.
    assert waits[-1] < (5 if rows == 100_000 else 60)
    assert engine.verify().intact


def test_purge_when_a_row_is_damaged_then_its_workflow_stays_whole_and_the_others_go(
    open_engine: OpenEngine, disk_target: str
) -> None:
    engine = open_engine()
    _write(engine, 5, "hurt")
    _write(engine, 5, "well")
    edit(disk_target, 2, "created_at", 5, workflow="hurt")

    told = engine.purge(keep=1, dry_run=True)
    report = engine.purge(keep=1)

    assert report.checkpoints == told.checkpoints == 4
    (hurt,) = report.damaged
    assert (hurt.workflow_id, hurt.kept) == ("hurt", {"damaged": 5})
    assert hurt.damage is not None
    assert "hurt@2" in hurt.damage


def test_purge_when_the_record_of_a_workflow_is_damaged_then_the_others_go_all_the_same(
    open_sqlite: OpenEngine, store: Path
) -> None:
    with open_sqlite() as engine:
        _write(engine, 5, "hurt")
        _write(engine, 5, "well")
    _behind(store, "UPDATE workflows SET branched = 7 WHERE id = 1")

    report = open_sqlite().purge(keep=1)

    assert report.checkpoints == 4
    assert [each.workflow_id for each in report.damaged] == ["hurt"]


@pytest.mark.filterwarnings("ignore::holdfast.DamagedWarning")
def test_purge_when_the_context_at_the_boundary_is_damaged_then_nothing_of_the_workflow_goes(
    open_engine: OpenEngine, disk_target: str
) -> None:
    engine = open_engine()
    _write(engine, 6)
    cut_payload(disk_target, 3)

    report = engine.purge(keep=1)

    assert report.checkpoints == 0
    assert [each.workflow_id for each in report.damaged] == ["wf"]
    assert engine._kernel.store.read(lambda uow: uow.retention.count("wf")) == 6


def test_purge_when_many_went_before_then_what_is_remembered_stays_small(
    open_engine: OpenEngine, clock: ManualClock
) -> None:
    engine = open_engine()
    _write(engine, 302)
    at = clock.moment().wall

    def purge_daily(uow: Any) -> None:
        for day in range(1, 301):
            uow.retention.consolidate("wf", day + 1)
            uow.retention.remove("wf", day, day, at + timedelta(days=day))

    engine._kernel.store.write(purge_daily)

    remembered = engine._kernel.store.read(lambda uow: uow.transfer.purges("wf"))
    assert len(remembered) <= 130
    for sequence in range(1, 301):
        with pytest.raises(holdfast.Purged) as caught:
            engine.get(f"wf@{sequence}")
        assert caught.value.at >= at + timedelta(days=sequence)
        assert sequence < 250 or caught.value.at == at + timedelta(days=sequence)
    assert engine.context("wf").workflow_state["n"] == 301


def test_keyframes_when_what_they_stand_on_goes_then_they_go_or_stand_for_themselves(
    open_sqlite: OpenEngine, store: Path
) -> None:
    engine = open_sqlite()
    for number in range(400):
        engine.checkpoint("wf", state={"n": number, "fixed": _noise(1, 20_000)})
    based = "SELECT count(*) FROM keyframes WHERE base IS NOT NULL"
    assert _behind(store, based)[0][0] > 2
    before = _contexts(engine)

    engine.purge(keep=150)

    after = _contexts(engine)
    assert after == {name: before[name] for name in after}
    lost = "SELECT count(*) FROM keyframes WHERE base NOT IN (SELECT number FROM keyframes)"
    orphaned = "SELECT count(*) FROM keyframes WHERE number NOT IN (SELECT number FROM checkpoints)"
    assert _behind(store, lost) == [(0,)]
    assert _behind(store, orphaned) == [(0,)]


def test_purge_every_when_time_passes_then_it_purges_again_until_it_is_stopped(
    open_any: OpenEngine, clock: ManualClock
) -> None:
    engine = open_any(clock=clock, retention=holdfast.Retention(1, 1))
    _write(engine, 3)
    reports: list[int] = []
    more = threading.Semaphore(0)

    def told(report: holdfast.PurgeReport) -> None:
        reports.append(report.checkpoints)
        more.release()

    schedule = engine.purge_every(timedelta(hours=1), on_report=told)
    assert more.acquire(timeout=30)
    clock.advance(2 * DAY)
    assert more.acquire(timeout=30)
    assert reports == [0, 2]
    assert schedule.is_running
    assert schedule.error is None
    assert schedule.report is not None

    engine.close()

    assert not schedule.is_running
    assert "holdfast-purge" not in [each.name for each in threading.enumerate()]
    schedule.stop()


def test_purge_every_when_a_purge_goes_wrong_then_it_says_so_and_goes_on(
    open_engine: OpenEngine, clock: ManualClock
) -> None:
    engine = open_engine(clock=clock)
    _write(engine, 2)
    more = threading.Semaphore(0)

    def fail(report: holdfast.PurgeReport) -> None:
        more.release()
        raise ValueError("told to nobody")

    schedule = engine.purge_every(timedelta(hours=1), on_report=fail)
    assert more.acquire(timeout=30)
    clock.advance(3700)
    assert more.acquire(timeout=30)
    schedule.stop()
    assert str(schedule.error) == "told to nobody"
    with pytest.raises(holdfast.InvalidRequest, match="interval"):
        engine.purge_every(timedelta())


def test_async_engine_when_it_purges_then_it_is_all_the_same(disk_target: str) -> None:
    async def use() -> tuple[int, bool, int]:
        async with holdfast.open_async(disk_target) as engine:
            for number in range(5):
                await engine.checkpoint("wf", state={"n": number})
            await engine.retain("wf", count=3)
            report = await engine.purge(keep=2)
            consolidated = await engine.consolidate("wf")
            engine.purge_every(timedelta(hours=1))
            deleted = await engine.delete("wf")
            return report.checkpoints, consolidated.changed, deleted.checkpoints

    assert asyncio.run(use()) == (3, True, 2)


def _noise(seed: int, size: int) -> str:
    """Return text that does not compress, the same for a seed."""
    return random.Random(seed).randbytes(size // 2).hex()


def _aged(engine: holdfast.Engine, name: str) -> list[Any]:
    return engine._kernel.store.read(lambda uow: list(uow.retention.aged(name)))


def _free_pages(path: Path) -> int:
    (found,) = _behind(path, "PRAGMA freelist_count")
    return int(found[0])


def _behind(path: Path, text: str) -> list[Any]:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        return raw.execute(text).fetchall()
