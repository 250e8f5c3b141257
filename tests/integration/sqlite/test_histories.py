"""Any history reads back equal in value and type at every point, whatever happened meanwhile.

Held against two oracles: plain states kept a checkpoint, and the store in memory, which keeps every
state whole.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.json_value import canonical
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.memory import MemoryStore
from holdfast.infrastructure.sqlite import appender, body, keyframes
from holdfast.infrastructure.sqlite.body import unpack
from holdfast.infrastructure.sqlite.rows import digest
from holdfast.infrastructure.sqlite.store import SqliteStore
from hypothesis import event, given, settings
from hypothesis import strategies as st

from .conftest import save_checkpoint
from .histories import SCOPES, Model, edited, first_state, newest, patch_for, replay_of, told

Save = Callable[..., Checkpoint]

_CODEC = JsonCodec()
_IN_MEMORY = Path("/dev/shm")  # noqa: S108
_CRASHING = Path(__file__).with_name("crashing_writer.py")

kinds = st.sampled_from(["state"] * 7 + ["patch", "nothing", "open", "close"])
steps = st.tuples(
    kinds,
    st.sampled_from([*SCOPES, *["wf"] * 4]),
    st.integers(0, 1),  # which of the two engines writes
    st.sampled_from([None] * 12 + [1, 2, 3, 5, 8]),  # so many before the head, as a parent
    st.sampled_from([None] * 20 + ["reopen", "crash", "rollback"]),
)


@contextmanager
def small_thresholds() -> Iterator[None]:
    """Let short histories take every way that long ones take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(appender, "_WORTH_COMPARING", 1)
        patch.setattr(body, "_WORTH_COMPRESSING", 512)
        patch.setattr(keyframes, "_LEAST_ROWS", 2)
        patch.setattr(keyframes, "_MOST_ROWS", 4)
        patch.setattr(keyframes, "_MOST_STEPS", 3)
        patch.setattr(keyframes, "_BYTES_A_STEP", 256)
        patch.setattr(keyframes, "_ROW_COST", 2000)
        patch.setattr(keyframes, "_WORTH_COMPRESSING", 512)
        yield


class World:
    """A store in a file, with two engines on it, and what must be true of it."""

    def __init__(self, folder: Path, empty: Path, seed: int, size: int) -> None:
        self._folder = folder
        self._random = Random(seed)
        self._size = size
        self._copies = 0
        self.path = folder / "store.db"
        shutil.copyfile(empty, self.path)
        self.model = Model()
        self.oracle = MemoryStore(_CODEC)
        self.engines: list[SqliteStore] = []
        self._open()

    def step(
        self, kind: str, scope: str, engine: int, back: int | None, before: str | None
    ) -> None:
        """Do one step of a history."""
        if before is not None:
            getattr(self, f"_{before}")(scope)
        ids = list(self.model.states)
        # What an engine believes to be the head may be what another one wrote after.
        parent = (ids[-back] if back and back <= len(ids) else ids[-1]) if ids else None
        about = self._about(kind, scope, parent)
        saved = save_checkpoint(self.engines[engine], scope, parent=parent, **about)
        again = save_checkpoint(self.oracle, scope, parent=parent, **about)
        assert saved.id == again.id
        self.model.add(saved.id, parent, state=about.get("state"), patch=about.get("patch"))

    def require(self, *, all_of_it: bool) -> None:
        """Hold the store against the model, and against the store in memory."""
        ids = list(self.model.states)
        if not all_of_it:
            ids = ids[-2:]
        for engine in self.engines:
            self.model.require(engine, ids)
        for each in ids:
            found, wanted = (
                told(replay_of(store, each)) for store in (self.engines[0], self.oracle)
            )
            assert found == wanted, each

    def close(self) -> None:
        for engine in self.engines:
            engine.close()

    def _about(self, kind: str, scope: str, parent: CheckpointId | None) -> dict[str, Any]:
        random = self._random
        states = self.model.states[parent] if parent else {}
        key = scope.partition("/")[2]
        level = ("workflow", "stage", "agent")[scope.count("/")]
        about: dict[str, Any] = {}
        if kind == "open":
            about = {"type_": f"{level}_start", "name": "n", "input": patch_for(random)}
        elif kind == "close":
            about = {"type_": f"{level}_complete", "output": patch_for(random)}
        elif kind == "patch":
            about = {"patch": patch_for(random)}
        if kind in ("state", "close"):
            earlier = [each[key] for each in self.model.states.values() if key in each]
            state = states.get(key) or (random.choice(earlier) if earlier else None)
            about["state"] = (
                edited(state, random) if state is not None else first_state(random, self._size)
            )
        return about

    def _open(self) -> None:
        self.engines = [SqliteStore.open(self.path, _CODEC, durability="process") for _ in "12"]

    def _reopen(self, _: str) -> None:
        self.close()
        self._open()

    def _crash(self, _: str) -> None:
        """Go on with what a machine would find that lost this process just now."""
        self._copies += 1
        path = self._folder / f"crashed-{self._copies}.db"
        # Not by this process: closing the file here would drop SQLite's locks on it.
        wal = Path(f"{self.path}-wal")
        subprocess.run(["cp", str(self.path), str(path)], check=True)
        if wal.exists():
            subprocess.run(["cp", str(wal), f"{path}-wal"], check=True)
        self.close()
        self.path = path
        self._open()
        assert newest(self.engines[0]) == next(reversed(self.model.states), None)

    def _rollback(self, scope: str) -> None:
        """Let a transaction fail after it has written."""

        def work(uow: Any) -> None:
            standing = uow.checkpoints.standing("wf")
            parent = standing.head if standing else None
            about = self._about("state", scope, parent)
            save_checkpoint(_Inside(uow), scope, parent=parent, **about)  # type: ignore[arg-type]
            raise LookupError

        with pytest.raises(LookupError):
            self.engines[0].write(work)


class _Inside:
    """A store whose transactions are parts of one that is under way."""

    def __init__(self, uow: Any) -> None:
        self._uow = uow

    def write(self, work: Callable[[Any], Any]) -> Any:
        return work(self._uow)


@contextmanager
def world(empty: Path, seed: int, size: int) -> Iterator[World]:
    # In memory where there is such a folder: what is asked here is not what a disk keeps.
    with TemporaryDirectory(dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None) as folder:
        found = World(Path(folder), empty, seed, size)
        try:
            yield found
        finally:
            found.close()


def _play(empty: Path, seed: int, size: int, history: list[Any]) -> None:
    with world(empty, seed, size) as found:
        for step in history:
            found.step(*step)
            found.require(all_of_it=False)
        found.require(all_of_it=True)
        found._reopen("")
        found.require(all_of_it=True)
        stored = stored_in(found.path)
        event(f"differences: {stored['difference'] > 0}")
        event(f"differences of keyframes: {stored['keyframes on others'] > 0}")


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 12), st.lists(steps, min_size=4, max_size=24))
def test_history_when_thresholds_are_small_then_every_point_reads_back(
    empty_store_file: Path, seed: int, size: int, history: list[Any]
) -> None:
    with small_thresholds():
        _play(empty_store_file, seed, size, history)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32), st.integers(20, 80), st.lists(steps, min_size=4, max_size=40))
def test_history_when_thresholds_are_the_real_ones_then_every_point_reads_back(
    empty_store_file: Path, seed: int, size: int, history: list[Any]
) -> None:
    _play(empty_store_file, seed, size, history)


@pytest.mark.deep
@settings(deadline=None, max_examples=1500)
@given(st.integers(0, 2**32), st.integers(1, 40), st.lists(steps, min_size=4, max_size=60))
def test_history_when_there_are_very_many_then_every_point_reads_back(
    empty_store_file: Path, seed: int, size: int, history: list[Any]
) -> None:
    with small_thresholds():
        _play(empty_store_file, seed, size, history)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_history_when_it_is_made_by_editing_then_most_states_are_differences_and_keyframes_too(
    empty_store_file: Path, seed: int
) -> None:
    random = Random(seed)
    with world(empty_store_file, seed, 60) as found:
        for number in range(120):
            scope = random.choice(SCOPES[:3])
            back = random.choice([None] * 30 + [3])
            found.step("state", scope, number // 5 % 2, back, None)
        found.require(all_of_it=True)
        found.close()
        stored = stored_in(found.path)

    assert stored["difference"] >= (stored["difference"] + stored["state"]) / 2
    assert stored["keyframes"] >= 2


def test_history_when_a_large_context_changes_little_then_keyframes_are_differences_of_others(
    empty_store_file: Path,
) -> None:
    with world(empty_store_file, 7, 200) as found:
        for number in range(140):
            found.step("state" if number % 3 else "patch", f"wf/s{number % 3}", 0, None, None)
        found.require(all_of_it=True)
        found.close()
        stored = stored_in(found.path)

    assert stored["keyframes on others"] >= 1
    assert stored["keyframes"] > stored["keyframes on others"], "one at least stands for itself"


@settings(deadline=None, max_examples=12)
@given(
    st.integers(0, 2**32),
    st.lists(steps, min_size=4, max_size=16),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
)
def test_history_when_the_log_was_cut_short_then_what_is_left_reads_back(
    empty_store_file: Path, seed: int, history: list[Any], cuts: list[float]
) -> None:
    with small_thresholds(), world(empty_store_file, seed, 8) as found:
        for kind, scope, engine, back, _ in history:
            found.step(kind, scope, engine, back, None)
        wal = Path(f"{found.path}-wal")
        ids = list(found.model.states)
        for number, cut in enumerate(cuts):
            path = found.path.with_name(f"cut-{number}.db")
            subprocess.run(["cp", str(found.path), str(path)], check=True)
            subprocess.run(["cp", str(wal), f"{path}-wal"], check=True)
            size = Path(f"{path}-wal").stat().st_size
            os.truncate(f"{path}-wal", int(size * cut))
            with closing(SqliteStore.open(path, _CODEC)) as left:
                head = newest(left)
                kept = ids[: ids.index(head) + 1] if head else []
                found.model.require(left, kept)
                more = save_checkpoint(left, "wf", state={"after": "the cut"})
                assert more.parent_id == head


@pytest.mark.parametrize("engines", [1, 2])
def test_history_when_its_writer_ends_without_a_word_then_all_it_acknowledged_reads_back(
    path: Path, open_store: Callable[..., SqliteStore], engines: int
) -> None:
    for seed in range(2):
        done = subprocess.run(
            [sys.executable, str(_CRASHING), str(path), str(seed), str(engines)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (7, "")
        store = open_store(path)
        acknowledged = done.stdout.split("\n")[:-1]
        assert len(acknowledged) == 40
        for line in acknowledged:
            checkpoint_id, _, wanted = line.partition(" ")
            wanted_id = CheckpointId.parse(checkpoint_id)
            replay = replay_of(store, wanted_id)
            assert canonical(replay.record(wanted_id.scope).state) == wanted
        store.close()


def stored_in(path: Path) -> dict[str, int]:
    """Return how many members of each kind, and how many keyframes, a store's file holds."""
    counts = {"state": 0, "difference": 0, "patch": 0, "keyframes": 0, "keyframes on others": 0}
    with closing(sqlite3.connect(path)) as raw:
        for (stored,) in raw.execute("SELECT body FROM checkpoints WHERE body IS NOT NULL"):
            for name in unpack(stored, digest(stored), path):
                counts[name] = counts.get(name, 0) + 1
        for (base,) in raw.execute("SELECT base FROM keyframes"):
            counts["keyframes"] += 1
            counts["keyframes on others"] += base is not None
    return counts
