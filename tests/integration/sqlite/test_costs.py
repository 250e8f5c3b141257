"""What writing and rebuilding cost, counted and not timed: syncs, rows, bytes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from holdfast.domain.json_value import canonical
from holdfast.domain.ports import UnitOfWork
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite.store import SqliteStore
from holdfast.infrastructure.sqlite.transaction import Transaction

from .conftest import HERE, put_checkpoint
from .histories import newest, replay_of
from .test_shared_commits import Holder

OpenStore = Callable[..., SqliteStore]
_CODEC = JsonCodec()


# Syncs.


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The COMMITs of all connections that are made from now on."""
    seen: list[str] = []
    connect = sqlite3.connect

    class Counted(sqlite3.Connection):
        def execute(self, text: str, *values: Any) -> sqlite3.Cursor:
            if text == "COMMIT":
                seen.append(text)
            return super().execute(text, *values)

    def connect_counted(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, factory=Counted, **options)

    monkeypatch.setattr(sqlite3, "connect", connect_counted)
    return seen


def test_write_when_it_is_alone_then_it_commits_once(
    commits: list[str], path: Path, open_store: OpenStore
) -> None:
    store = open_store(path)
    store.write(put_checkpoint)
    commits.clear()

    for _ in range(5):
        store.write(put_checkpoint)

    assert len(commits) == 5


@pytest.mark.parametrize("threads", [2, 8, 40])
def test_write_when_many_arrive_together_then_they_share_one_commit(
    commits: list[str], path: Path, open_store: OpenStore, threads: int
) -> None:
    store = open_store(path)
    holder = Holder(store)
    callers = holder.behind(*[put_checkpoint] * threads)
    commits.clear()

    holder.let_go()

    assert [each.done().error for each in callers] == [None] * threads
    assert len(commits) == 2, "the one that was under way, and theirs"
    assert len({each.result.id for each in callers}) == threads


def test_write_each_when_there_are_many_then_they_share_one_commit(
    commits: list[str], path: Path, open_store: OpenStore
) -> None:
    store = open_store(path)
    commits.clear()

    store.write_each([put_checkpoint] * 100)

    assert len(commits) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="libraries are preloaded otherwise here")
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_write_when_its_syncs_are_counted_then_one_is_one_and_a_batch_is_one(
    path: Path, tmp_path: Path
) -> None:
    library = tmp_path / "counting_syncs.so"
    source = str(HERE / "counting_syncs.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), source, "-ldl"], check=True)
    syncs = tmp_path / "syncs"
    syncs.touch()

    done = subprocess.run(
        [sys.executable, str(HERE / "counted_saves.py"), str(path)],
        env={**os.environ, "LD_PRELOAD": str(library), "SYNCS_FILE": str(syncs)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"alone": 10, "each": 1, "threads": 2, "reading": 0}


# Rows.


class Rows:
    """Counts the rows that transactions read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read = 0
        one, each = Transaction.one, Transaction.each

        def counted_one(*arguments: Any) -> Any:
            found = one(*arguments)
            self.read += found is not None
            return found

        def counted_each(*arguments: Any) -> Any:
            for row in each(*arguments):
                self.read += 1
                yield row

        monkeypatch.setattr(Transaction, "one", counted_one)
        monkeypatch.setattr(Transaction, "each", counted_each)


@pytest.mark.parametrize("kind", ["states", "patches", "nothing"])
def test_replay_when_the_chain_is_ever_deeper_then_it_reads_no_more_rows(
    path: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    store = open_store(path, durability="process")
    text = "the plan was read twice " * 60

    def more(first: int, count: int, uow: UnitOfWork) -> None:
        for n in range(first, first + count):
            about: dict[str, Any] = {}
            if kind == "states":
                about["state"] = {"n": n, "text": text, "last": [n % 7] * 10}
            elif kind == "patches":
                about["patch"] = {"n": n, f"k{n % 50}": n}
            put_checkpoint(uow, f"wf/s{n % 3}", **about)

    counts = {}
    deep = 0
    for depth in (10, 1_000, 10_000):
        store.write(partial(more, deep, depth - deep))
        deep = depth
        head = newest(store)
        assert head is not None
        with monkeypatch.context() as patch:
            rows = Rows(patch)
            replay_of(store, head)
            counts[depth] = rows.read

    assert counts[10] <= 10 + 4
    # At most 64 rows since the last keyframe, and 32 differences between keyframes of two reads.
    assert max(counts.values()) <= 64 + 2 * 33 + 6, counts


# Bytes.


def test_file_when_a_conversation_grew_by_a_kilobyte_each_then_it_is_a_hundredth_of_its_states(
    path: Path, open_store: OpenStore
) -> None:
    random = Random(11)
    words = [random.randbytes(random.randrange(1, 5)).hex() for _ in range(3000)]
    store = open_store(path, durability="process")
    messages: list[dict[str, Any]] = []
    full = 0
    for turn in range(500):
        text = " ".join(random.choices(words, k=180))[:960]
        messages.append(
            {"role": "user" if turn % 2 else "assistant", "content": text, "turn": turn}
        )
        state = {"messages": messages, "turn": turn}
        full += len(_CODEC.encode(state, "state"))
        store.write(partial(put_checkpoint, scope="wf", state=state))
    head = newest(store)
    assert head is not None
    found = replay_of(store, head).record(head.scope).state
    assert canonical(found) == canonical(state)
    store.close()

    assert full > 120_000_000
    assert path.stat().st_size <= full / 100
