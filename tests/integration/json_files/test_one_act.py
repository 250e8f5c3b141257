"""A transaction is one act: whatever it is killed between, and whatever is interrupted."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.errors import CheckpointCorrupted, StorageUnavailable, StoreBusy
from holdfast.domain.events import DomainEvent, EventKind
from holdfast.domain.lease import Lease, Owner
from holdfast.domain.moment import Moment
from holdfast.domain.ports import Store, UnitOfWork
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.json_files.file_operations import Files
from holdfast.infrastructure.json_files.store import JsonFileStore

OpenStore = Callable[..., JsonFileStore]
Save = Callable[..., Checkpoint]
Everything = Callable[[Store], dict[str, Any]]

AT = datetime(2026, 3, 1, tzinfo=UTC)
LEASE = Lease("wf", 1, "token", Owner("h", "b", "p", 1, 2), 60.0, AT, Moment(AT, "b", 1))
CHANGES = ("write", "sync", "rename", "append", "remove", "sync folder", "make folder")


class Killed(BaseException):
    """Stands for SIGKILL: nothing that follows is done, not even tidying up."""


class Saboteur(Files):
    """Lets so many changes of files happen, then does *harm* in place of each that follows."""

    def __init__(self, after: int, harm: Callable[[], BaseException | None]) -> None:
        super().__init__(self._step)
        self.left = after
        self.seen: list[tuple[str, Path]] = []
        self._harm = harm

    def _step(self, operation: str, path: Path) -> None:
        if operation not in CHANGES:
            return
        self.seen.append((operation, path))
        self.left -= 1
        if self.left < 0:
            harm = self._harm()
            if harm is not None:
                raise harm


def _killed() -> BaseException:
    return Killed()


@pytest.fixture
def opened(folder: Path, open_store: OpenStore, save: Save) -> Path:
    """A store with a stage and an agent of it open, under a lease."""
    store = open_store(folder)
    save(store, "wf", "workflow_start", resume_handler="h", state={"n": 1})
    save(store, "wf/s", "stage_start")
    save(store, "wf/s/a", "agent_start")
    store.write(lambda uow: uow.leases.put(LEASE))
    store.close()
    return folder


@pytest.fixture
def close_scope(put: Save) -> Callable[[UnitOfWork], None]:
    """Close the agent: two checkpoints, an event, the lease, and an attempt that ends."""

    def work(uow: UnitOfWork) -> None:
        closing = put(uow, "wf/s/a", "agent_complete", output={"r": 1})
        (opening,) = (
            each for each in uow.checkpoints.unfinished("wf") if each.scope == closing.scope
        )
        opening.complete(AT)
        uow.checkpoints.update(opening)
        uow.events.append(DomainEvent(EventKind.COMPLETED, "wf", AT, opening.id, 1))
        uow.leases.put(replace(LEASE.renew(Moment(AT, "b", 99))))

    return work


def test_closing_when_killed_between_any_two_operations_then_all_of_it_is_there_or_nothing(
    opened: Path,
    room: Path,
    open_store: OpenStore,
    close_scope: Callable[[UnitOfWork], None],
    everything_in: Everything,
) -> None:
    before = everything_in(open_store(opened))
    shutil.copytree(opened, room / "undisturbed")
    undisturbed = open_store(room / "undisturbed")
    undisturbed.write(close_scope)
    after = everything_in(undisturbed)
    outcomes = []

    for step in range(200):
        copy = room / f"killed-{step}"
        shutil.copytree(opened, copy)
        saboteur = Saboteur(step, _killed)
        doomed = JsonFileStore.open(copy, undisturbed.codec, files=saboteur)
        try:
            doomed.write(close_scope)
        except Killed:
            pass
        else:
            break
        found = everything_in(open_store(copy))
        assert found in (before, after), f"half of it is there after {saboteur.seen[:-1]}"
        outcomes.append(found == after)
        shutil.rmtree(copy)

    assert outcomes == sorted(outcomes), "once it is committed it stays so"
    assert len(outcomes) > 20
    assert {True, False} == set(outcomes)


def test_carrying_out_when_killed_again_and_again_then_it_is_done_in_the_end(
    opened: Path,
    open_store: OpenStore,
    close_scope: Callable[[UnitOfWork], None],
    everything_in: Everything,
) -> None:
    codec = open_store(opened).codec
    with pytest.raises(Killed):
        # The journal's own four steps, and the first of carrying out.
        JsonFileStore.open(opened, codec, files=Saboteur(6, _killed)).write(close_scope)
    assert (opened / "journal" / "commit.json").exists()

    for step in range(1, 30):
        try:
            JsonFileStore.open(opened, codec, files=Saboteur(step, _killed))
        except Killed:
            continue
        break

    store = open_store(opened)
    assert not (opened / "journal" / "commit.json").exists()
    unfinished = store.read(lambda uow: uow.checkpoints.unfinished("wf"))
    assert [str(each.id) for each in unfinished] == ["wf@1", "wf/s@2"]
    assert everything_in(store)["lease of wf"].renewed.uptime_ns == 99


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_write_when_any_operation_meets_trouble_once_then_it_is_written_once(
    opened: Path,
    room: Path,
    open_store: OpenStore,
    close_scope: Callable[[UnitOfWork], None],
    everything_in: Everything,
    number: int,
) -> None:
    shutil.copytree(opened, room / "undisturbed")
    undisturbed = open_store(room / "undisturbed")
    undisturbed.write(close_scope)
    wanted = everything_in(undisturbed)

    for step in range(200):
        copy = room / "troubled"
        shutil.copytree(opened, copy)
        harms = [OSError(number, os.strerror(number))]
        saboteur = Saboteur(step, lambda harms=harms: harms.pop() if harms else None)  # type: ignore[misc]
        store = open_store(copy, files=saboteur)
        store.write(close_scope)
        assert everything_in(store) == wanted, f"trouble at {saboteur.seen[step]}"
        shutil.rmtree(copy)
        if harms:
            break

    assert step > 20


def test_write_when_trouble_lasts_then_it_is_told_nothing_is_half_written_and_work_goes_on_after(
    opened: Path,
    room: Path,
    open_store: OpenStore,
    close_scope: Callable[[UnitOfWork], None],
    everything_in: Everything,
) -> None:
    before = everything_in(open_store(opened))
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    outcomes: list[tuple[str, str, bool]] = []

    for step in range(200):
        copy = room / "troubled"
        shutil.copytree(opened, copy)
        saboteur = Saboteur(step, lambda: full)
        store = open_store(copy, files=saboteur)
        try:
            store.write(close_scope, timeout=0.0)
        except StorageUnavailable as error:
            saboteur.left = 1_000_000
            found = everything_in(store)
            outcomes.append((error.outcome, str(error), found == before))
        else:
            saboteur.left = 1_000_000
            assert everything_in(store)["lease of wf"].renewed.uptime_ns == 99
        store.write(lambda uow: uow.events.append(DomainEvent(EventKind.RESUMED, "wf", AT)))
        shutil.rmtree(copy)
        if len(saboteur.seen) <= step:
            break

    assert len(outcomes) >= 4
    assert step > 20
    for outcome, message, unchanged in outcomes:
        assert outcome == "unknown" or (unchanged and "no space left" in message)


def test_write_when_interrupted_at_any_operation_then_it_is_whole_or_nothing_and_lets_go(
    opened: Path,
    room: Path,
    open_store: OpenStore,
    close_scope: Callable[[UnitOfWork], None],
    everything_in: Everything,
) -> None:
    before = everything_in(open_store(opened))
    shutil.copytree(opened, room / "undisturbed")
    undisturbed = open_store(room / "undisturbed")
    undisturbed.write(close_scope)
    after = everything_in(undisturbed)

    for step in range(200):
        copy = room / "interrupted"
        shutil.copytree(opened, copy)
        interrupts = [KeyboardInterrupt()]
        saboteur = Saboteur(step, lambda harms=interrupts: harms.pop() if harms else None)  # type: ignore[misc]
        store = open_store(copy, files=saboteur)
        if len(saboteur.seen) > step:  # it was interrupted while opening
            shutil.rmtree(copy)
            continue
        try:
            store.write(close_scope)
        except KeyboardInterrupt:
            pass
        else:
            assert interrupts
            break
        assert everything_in(store) in (before, after)
        store.close()
        shutil.rmtree(copy)

    assert step > 20


def test_journal_when_it_is_damaged_then_nothing_is_read_past_it(
    opened: Path, open_store: OpenStore, close_scope: Callable[[UnitOfWork], None]
) -> None:
    codec = open_store(opened).codec
    with pytest.raises(Killed):
        JsonFileStore.open(opened, codec, files=Saboteur(7, _killed)).write(close_scope)
    entry = opened / "journal" / "commit.json"
    damaged = bytearray(entry.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    entry.write_bytes(damaged)

    store = open_store(opened)  # so that a repair gets in
    for call in (store.read, store.write):
        with pytest.raises(CheckpointCorrupted, match="doctor --repair"):
            call(lambda uow: uow.checkpoints.standing("wf"))

    entry.unlink()
    assert open_store(opened).read(lambda uow: uow.checkpoints.standing("wf")) is not None


@pytest.mark.parametrize(
    "path",
    ["../outside.json", "/outside.json", "..\\outside.json", "a\\..\\..\\b", "C:b", "\\b"],
)
def test_journal_when_it_leads_out_of_the_store_then_it_is_refused(
    opened: Path, open_store: OpenStore, path: str
) -> None:
    from holdfast.infrastructure.json_files.journal import Put, _pack

    (opened / "journal" / "commit.json").write_bytes(_pack([Put(path, b"{}")]))

    with pytest.raises(CheckpointCorrupted, match="out of the store"):
        open_store(opened).read(lambda uow: uow.checkpoints.standing("wf"))

    assert not (opened.parent / "outside.json").exists()


def test_write_each_when_one_of_them_raises_then_the_others_share_a_commit(
    folder: Path, open_store: OpenStore, put: Save
) -> None:
    saboteur = Saboteur(1_000_000, _killed)
    store = open_store(folder, files=saboteur)

    def fail(uow: UnitOfWork) -> Any:
        put(uow, "wf", name="lost")
        raise LookupError

    saboteur.seen.clear()
    works = [lambda uow: put(uow, "wf"), fail, lambda uow: put(uow, "wf/s")]
    written = store.write_each(works)

    assert [str(each.result.id) for each in written if each.result] == ["wf@1", "wf/s@2"]
    assert isinstance(written[1].error, LookupError)
    renames = [path.name for operation, path in saboteur.seen if operation == "rename"]
    assert renames.count("commit.json") == 1


@pytest.mark.parametrize("does", ["read", "write"])
def test_journal_when_somebody_is_carrying_it_out_then_nobody_else_touches_it_without_the_lock(
    folder: Path, open_store: OpenStore, save: Save, does: str
) -> None:
    touched: list[str] = []
    told: list[Exception] = []
    open_store(folder).close()
    other = JsonFileStore.open(
        folder,
        JsonCodec(),
        write_timeout=0.0,
        files=Files(lambda name, path: touched.append(f"{name} {path.name}")),
    )
    touched.clear()

    def use(store: JsonFileStore) -> None:
        if does == "read":
            store.read(lambda _: None)
        else:
            save(store, "w")

    def let_the_other_come(operation: str, path: Path) -> None:
        if operation == "rename" and path.name != "commit.json" and not told:
            assert (folder / "journal" / "commit.json").exists()
            with pytest.raises(StoreBusy) as caught:
                use(other)
            told.append(caught.value)

    save(open_store(folder, files=Files(let_the_other_come)), "w")

    assert told
    assert touched == []
