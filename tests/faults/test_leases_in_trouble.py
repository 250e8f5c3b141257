"""A lease that could not be given up because the disk was ill: nobody has it, and that shows."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import holdfast
import pytest
from holdfast.application.runs.lease_keeper import LeaseKeeper

from .disk import EVERY_KIND
from .errands import app, prepare
from .patched_disk import PatchedDisk


@pytest.fixture
def disk(room: Path) -> Iterator[PatchedDisk]:
    with PatchedDisk().patched() as disk:
        disk.watch(room)
        yield disk


@pytest.fixture
def engine(room: Path, disk: PatchedDisk) -> Iterator[holdfast.Engine]:
    settings = {"write_timeout": 0.0}
    with holdfast.open(f"json:{room / 'files'}", registry=app, settings=settings) as engine:
        prepare(engine)
        yield engine


@pytest.fixture
def interrupted(engine: holdfast.Engine, disk: PatchedDisk) -> holdfast.Engine:
    """An engine on which a run met trouble, which is over."""
    with suppress(holdfast.StorageUnavailable), engine.run("w", handler="pair") as run:
        disk.fail(EVERY_KIND, 1, errno.EIO, lasting=True)
        run.step("first", str.upper, "a")
    assert engine._kernel.keeper.debts.owed("w")
    _stop(engine._kernel.keeper)
    disk.heal()
    return engine


def test_run_when_its_lease_could_not_be_given_up_then_the_same_engine_carries_it_on_at_once(
    interrupted: holdfast.Engine,
) -> None:
    assert interrupted.recover("w").output == "AB"

    attempts = interrupted.attempts("w")
    assert [each.outcome for each in attempts] == ["store_trouble", "completed"]
    assert interrupted.get("w@1").retry_count == 0


def test_run_when_its_lease_could_not_be_given_up_then_the_keeper_of_leases_does_so_later(
    interrupted: holdfast.Engine,
) -> None:
    interrupted._kernel.keeper.tick()

    assert [each.outcome for each in interrupted.attempts("w")] == ["store_trouble"]
    assert [each.workflow_id for each in interrupted.stale()] == ["w"]
    with holdfast.open(interrupted.target, registry=app) as other:
        assert other.recover("w").output == "AB"


def test_keeper_when_the_engine_is_closed_before_the_trouble_ends_then_it_rests(
    engine: holdfast.Engine, disk: PatchedDisk
) -> None:
    run = engine.run("w", handler="pair")
    run.__enter__()
    disk.fail(EVERY_KIND, 1, errno.EIO, lasting=True)

    engine.close()

    keeper = engine._kernel.keeper
    _stop(keeper)
    keeper.tick()
    assert keeper.debts.owed() == []
    assert keeper._thread is None


def test_purge_when_its_right_could_not_be_given_up_then_the_same_engine_purges_again_at_once(
    engine: holdfast.Engine, disk: PatchedDisk
) -> None:
    def fail(_: holdfast.PurgeProgress) -> None:
        disk.fail(EVERY_KIND, 1, errno.ENOSPC, lasting=True)

    with suppress(holdfast.StorageUnavailable):  # it may have been over by then
        engine.purge(workflow="old", keep=1, progress=fail)
    disk.heal()

    engine.purge(workflow="old", keep=1)

    assert len(engine.list("old")) == 1


def _stop(keeper: LeaseKeeper) -> None:
    """Let nobody but the test tick; it may be in the middle of a round."""
    thread = keeper._thread
    keeper._wake.set()
    if thread is not None:
        thread.join()
