"""The index, the latest pointers, the lock and the leases deleted by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import holdfast
import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.errors import Purged
from holdfast.domain.events import DomainEvent, EventKind
from holdfast.domain.lease import Lease, Owner
from holdfast.domain.moment import Moment
from holdfast.domain.ports import Store, UnitOfWork
from holdfast.infrastructure.json_files.store import JsonFileStore

OpenStore = Callable[..., JsonFileStore]
Save = Callable[..., Checkpoint]
Everything = Callable[[Store], dict[str, Any]]

AT = datetime(2026, 3, 1, tzinfo=UTC)
LEASE = Lease("wf", 3, "token", Owner("h", "b", "p", 1, 2), 60.0, AT, Moment(AT, "b", 1))

DERIVED = {
    "index": ["index"],
    "end of the index": ["index/latest.log"],
    "old part of the index": ["index/@*"],
    "list of the unfinished": ["index/unfinished/*.json"],
    "failures": ["index/failures.json"],
    "pointers": ["workflows/*/*/latest.json"],
    "contexts": ["workflows/*/*/contexts"],
    "lock": ["lock"],
    "journal": ["journal"],
}
ALL = [pattern for patterns in DERIVED.values() for pattern in patterns]


@pytest.fixture
def filled(folder: Path, open_store: OpenStore, save: Save, put: Save) -> Path:
    """A store with workflows in all states, branches, kept contexts, and 1,100 numbers."""
    store = open_store(folder)
    save(store, "wf", "workflow_start", resume_handler="h", state={"n": 0}, epoch=3)
    root = save(store, "wf/s", "stage_start", input=[1])
    store.write(lambda uow: [put(uow, "wf", patch={str(n): n}) for n in range(70)])
    save(store, "wf/s", "error_state", parent=root.id)
    save(store, "wf/s/a", "agent_start")
    done = save(store, "done", "workflow_start", state={"x": 1})
    save(store, "done", "workflow_complete", output=2)
    done.complete(AT)
    store.write(lambda uow: uow.checkpoints.update(done))
    save(store, "record/with @ ö".replace("/", "%2F").replace("@", "%40"))
    store.write(lambda uow: [put(uow, "many") for _ in range(40)])
    for _ in range(2):
        store.write(_log_many)
    store.write(lambda uow: uow.leases.put(LEASE))
    store.close()
    return folder


@pytest.mark.parametrize("what", [*DERIVED, "all"])
@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
def test_store_when_what_can_be_made_anew_is_deleted_then_it_is_and_numbers_go_on(
    filled: Path,
    open_store: OpenStore,
    save: Save,
    everything_in: Everything,
    what: str,
    is_open: bool,
) -> None:
    store = open_store(filled)
    before = everything_in(store)
    if not is_open:
        store.close()
    _delete(filled, ALL if what == "all" else DERIVED[what])
    if not is_open:
        store = open_store(filled)

    assert everything_in(store) == before
    saved = save(store, "wf", "workflow_start")
    new = everything_in(store)["events"][-1]

    assert saved.id.sequence == 75
    assert new.checkpoint_id == saved.id
    assert new.number == before["events"][-1].number + 1


def test_store_when_each_is_deleted_after_the_other_then_it_is_made_anew_each_time(
    filled: Path, open_store: OpenStore, save: Save, everything_in: Everything
) -> None:
    store = open_store(filled)
    last = everything_in(store)["events"][-1].number

    for step, patterns in enumerate(DERIVED.values(), start=1):
        _delete(filled, patterns)
        assert save(store, "wf").id.sequence == 74 + step
        assert everything_in(store)["events"][-1].number == last + step


@pytest.mark.parametrize("more", [[], ALL], ids=["leases", "leases and all"])
def test_lease_when_its_file_is_deleted_then_its_owner_is_fenced_and_the_epoch_goes_on(
    filled: Path, open_store: OpenStore, more: list[str]
) -> None:
    store = open_store(filled)
    _delete(filled, ["leases", *more])

    found = store.read(lambda uow: uow.leases.get("wf"))

    assert found is not None
    assert found.epoch > LEASE.epoch
    assert found.token is None
    assert not found.proves(LEASE.credentials)
    with pytest.raises(ValueError, match="below"):
        store.write(lambda uow: uow.leases.put(replace(LEASE, epoch=2)))
    taken = replace(LEASE, epoch=found.epoch + 1, token="new")
    store.write(lambda uow: uow.leases.put(taken))
    assert store.read(lambda uow: uow.leases.get("wf")) == taken
    assert store.read(lambda uow: uow.leases.get("done")) is None


def test_run_when_its_lease_is_deleted_then_it_is_fenced_and_the_next_has_a_higher_epoch(
    folder: Path,
) -> None:
    with holdfast.open(f"json:{folder}") as engine:
        run = engine.run("wf", handler="h")
        epoch = run.epoch
        _delete(folder, ["leases", *ALL])

        with pytest.raises(holdfast.Fenced):
            run.checkpoint(name="late")
        with engine.run("wf") as other:
            assert other.epoch > epoch
            assert other.checkpoint(name="mine").epoch == other.epoch


SOURCES = ["workflows/*/*/events", "workflows/*/*/attempts", "workflows/*/*/retention.json"]


@pytest.mark.parametrize("more", [[], ALL], ids=["sources", "sources and all that is made anew"])
def test_run_when_events_epochs_and_the_memory_of_purges_are_lost_then_it_goes_on_above_all_seen(
    folder: Path, more: list[str]
) -> None:
    with holdfast.open(f"json:{folder}") as engine:
        for n in range(8):
            engine.checkpoint("wf", state={"n": n})
        for _ in range(3):
            with suppress(KeyboardInterrupt), engine.run("wf", handler="h") as given_up:
                given_up.checkpoint(name=f"of {given_up.epoch}")
                raise KeyboardInterrupt
        engine.purge(workflow="wf", keep=2)
        run = engine.run("wf", handler="h")
        seen = run.checkpoint(name="last")
        with pytest.raises(holdfast.Purged):
            engine.get("wf@1")

        _delete(folder, ["leases", *SOURCES, *more])

        with pytest.raises(holdfast.Fenced):
            run.checkpoint(name="late")
        with pytest.raises(holdfast.NotFound):
            engine.get("wf@1")
        with suppress(KeyboardInterrupt), engine.run("wf", handler="h") as other:
            assert other.epoch > run.epoch == seen.epoch
            new = other.checkpoint(name="mine")
            raise KeyboardInterrupt
        assert new.id.sequence > seen.id.sequence
        assert engine.verify(repair=True).damaged == ()
        assert engine.verify().intact, engine.verify().findings


def test_doctor_when_leases_and_events_are_lost_then_it_says_so_and_gives_the_leases_up(
    folder: Path,
) -> None:
    with holdfast.open(f"json:{folder}") as engine:
        run = engine.run("wf", handler="h")
        run.checkpoint(name="last")
        _delete(folder, ["leases", *SOURCES])

        (found,) = engine.verify().damaged
        engine.verify(repair=True)

        assert (found.kind, found.subject, found.problem) == ("lease", "wf", "it is missing")
        assert engine.verify().intact
        with pytest.raises(holdfast.Fenced), run:
            run.checkpoint(name="late")


def test_sequence_when_only_an_event_remembers_it_then_it_is_not_given_again(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    store = open_store(folder)
    save(store, "wf")
    last = save(store, "wf")
    store.write(lambda uow: uow.events.append(replace(_event(), checkpoint_id=last.id)))
    _delete(folder, ["workflows/*/*/@*/@*2.progress.json", *ALL])

    assert save(store, "wf").id.sequence == 3


def test_folder_when_removed_while_open_then_nothing_is_written_to_what_is_gone(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    store = open_store(folder, write_timeout=0.0)
    save(store)
    shutil.rmtree(folder)

    with pytest.raises(holdfast.StorageUnavailable):
        save(store)

    assert not folder.exists()


def _log_many(uow: UnitOfWork) -> None:
    for _ in range(530):
        uow.events.append(_event())


def _event() -> DomainEvent:
    return DomainEvent(EventKind.RESUMED, "wf", AT, epoch=2)


def _delete(folder: Path, patterns: Iterable[str]) -> None:
    for pattern in patterns:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_purge_when_all_that_can_be_made_anew_is_lost_then_contexts_and_sequences_stay(
    filled: Path, open_store: OpenStore, save: Save, everything_in: Everything
) -> None:
    def purge(uow: UnitOfWork) -> None:
        uow.retention.consolidate("wf", 70)
        uow.retention.remove("wf", 3, 69, AT)
        uow.events.append(DomainEvent(EventKind.PURGED, "many", AT))
        uow.retention.remove("many", 1, 40, AT)

    store = open_store(filled)
    store.write(purge)
    before = everything_in(store)
    assert list(filled.glob("workflows/*/many/@*")) == [], "empty folders go, too"
    _delete(filled, ALL)

    assert everything_in(store) == before
    assert save(store, "many").id.sequence == 41
    with pytest.raises(Purged):
        store.read(lambda uow: uow.checkpoints.get(CheckpointId("many", None, None, 7)))
