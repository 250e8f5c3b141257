"""A purge of any history, by any policy, stopped anywhere: what is left is what the model says."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import holdfast
import pytest
from holdfast.application.retention import removal
from holdfast.infrastructure.clock import ManualClock
from holdfast.infrastructure.sqlite import keyframes
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from .retention_world import (
    GENERAL,
    HISTORIES,
    OPS,
    POLICIES,
    Op,
    Seen,
    damage_in,
    kept_by_the_model,
    look,
    perform,
)

_OPTIONS: dict[str, Any] = {
    "settings": {"back_off_base": 0.0},
    "retention": holdfast.Retention(*GENERAL),
    "durability": "process",
}


# Thousands of files are synced: in memory where the system has room there.
_ROOM = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


@pytest.fixture(scope="module", params=["sqlite", "json"])
def empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store of each kind without a checkpoint, to be copied."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    target = str(path) if request.param == "sqlite" else f"json:{path}"
    holdfast.open(target).close()
    return target


def _copy(empty: str, folder: Path) -> str:
    if not empty.startswith("json:"):
        return str(shutil.copy(empty, folder / "store.db"))
    shutil.copytree(empty.removeprefix("json:"), folder / "store")
    return f"json:{folder / 'store'}"


@pytest.fixture(scope="module", autouse=True)
def _everything_is_small() -> Iterator[None]:
    """Let short histories have keyframes, differences between them, and purges of many slices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyframes, "_LEAST_ROWS", 3)
        patch.setattr(keyframes, "_MOST_ROWS", 3)
        patch.setattr(keyframes, "_BYTES_A_ROW", 1 << 30)
        patch.setattr(keyframes, "_BYTES_A_STEP", 16)
        patch.setattr(removal, "MOST_ROWS", 3)
        yield


def _purge_of_any_history(
    empty: str, ops: list[Op], later: list[Op], limits: dict[str, Any], stop: int
) -> None:
    clock = ManualClock()
    with tempfile.TemporaryDirectory(dir=_ROOM) as folder:
        path = _copy(empty, Path(folder))
        first = holdfast.open(path, clock=clock, **_OPTIONS)
        for op in ops:
            perform(first, clock, op)
        before = look(first)

        # Stopped dead between two transactions: the claim stays, as a killed process leaves it.
        stopped = first._purge_slices(**limits)
        done = len(list(islice(stopped, stop)))
        event(f"stopped after {min(done, 5)} slices")
        halfway = look(first)
        _require_same(before, halfway)
        for op in later:
            perform(first, clock, op)
        first.close()

        clock.advance(3600)
        with holdfast.open(path, clock=clock, **_OPTIONS) as second:
            found = look(second)
            _require_same(before | {name: found[name] for name in found.keys() - before}, found)
            before |= found
            present = {name for name in before if _is_there(second, name)}
            kept = kept_by_the_model(second, clock.moment().wall, limits)
            told = second.purge(dry_run=True, **limits)
            assert {name for name in present if _is_there(second, name)} == present

            report = second.purge(**limits)

            after = look(second)
            event(f"went: {'some' if report.checkpoints else 'none'}")
            assert set(after) == kept
            assert report.checkpoints == told.checkpoints == len(present - kept)
            assert report.bytes == told.bytes
            _require_same(before, after)
            for name in set(before) - kept:
                with pytest.raises(holdfast.Purged):
                    second.get(name)
            if "max_bytes" not in limits:
                # What now stands for itself holds more bytes than it did.
                again = second.purge(**limits)
                assert (again.checkpoints, again.consolidated) == (0, 0)
            _require_growing(second, before)
        del stopped
        assert damage_in(path) == []


def _require_same(before: dict[str, Seen], after: dict[str, Seen]) -> None:
    for name, seen in after.items():
        assert seen.context == before[name].context, name
        assert seen.id == before[name].id


def _require_growing(engine: holdfast.Engine, before: dict[str, Seen]) -> None:
    """Sequences that were given out are not given out again."""
    highest: dict[str, int] = {}
    for seen in before.values():
        name = seen.id.workflow_id
        highest[name] = max(highest.get(name, 0), seen.id.sequence)
    for name, sequence in highest.items():
        assert _next_sequence(engine, name) > sequence


def _next_sequence(engine: holdfast.Engine, name: str) -> int:
    return engine._kernel.store.write(lambda uow: uow.sequences.next(name))


def _is_there(engine: holdfast.Engine, name: str) -> bool:
    try:
        engine.get(name)
    except holdfast.Purged:
        return False
    return True


_CASES = {
    "ops": HISTORIES,
    "later": st.lists(OPS, max_size=3),
    "limits": POLICIES,
    "stop": st.sampled_from([0, 1, 2, 3, 4, 6, 9]),
}


def _try_many(empty: str, examples: int) -> None:
    """Try so many histories; a tenth of them where each is a thousand files."""
    most = examples if not empty.startswith("json:") else max(5, examples // 10)

    @settings(max_examples=most, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(**_CASES)
    def try_one(ops: list[Op], later: list[Op], limits: dict[str, Any], stop: int) -> None:
        _purge_of_any_history(empty, ops, later, limits, stop)

    try_one()


def test_purge_when_of_any_history_and_stopped_anywhere_then_what_stays_is_what_the_model_says(
    empty: str,
) -> None:
    _try_many(empty, 25)


@pytest.mark.deep
def test_purge_when_of_thousands_of_histories_then_what_stays_is_what_the_model_says(
    empty: str,
) -> None:
    _try_many(empty, 3000)
