"""What a writer remembers is never held against what is true by now."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.errors import CheckpointCorrupted
from holdfast.domain.scope import Scope
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite import tails, writer_memory
from holdfast.infrastructure.sqlite.rebuild import Rebuild
from holdfast.infrastructure.sqlite.store import SqliteStore
from holdfast.infrastructure.sqlite.tails import Tail, Tails

from .conftest import put_checkpoint, save_checkpoint
from .histories import Model, edited, first_state, newest

OpenStore = Callable[..., SqliteStore]


def _saved(store: SqliteStore, model: Model, state: Any, **about: Any) -> CheckpointId:
    saved = save_checkpoint(store, "wf", state=state, **about)
    model.add(saved.id, saved.parent_id, state=state)
    return saved.id


def test_save_when_two_writers_take_turns_then_each_stands_on_what_the_other_wrote(
    path: Path, open_store: OpenStore
) -> None:
    stores, model, random = (
        [open_store(path, durability="process") for _ in "12"],
        Model(),
        Random(1),
    )
    state, last = first_state(random, 30), None
    for number in range(40):
        state = edited(state, random)
        saved = save_checkpoint(stores[number // 3 % 2], "wf", state=state)
        assert saved.parent_id == last
        model.add(saved.id, saved.parent_id, state=state)
        last = saved.id
    model.require(stores[0])
    assert "branched" not in _facts(stores[1])


def test_save_when_a_transaction_was_rolled_back_then_nothing_stands_on_it(
    path: Path, open_store: OpenStore
) -> None:
    store, model, random = open_store(path, durability="process"), Model(), Random(2)
    state = first_state(random, 30)
    _saved(store, model, state)
    for _ in range(10):

        def work(uow: Any, state: Any = state) -> None:
            for _ in range(3):
                put_checkpoint(uow, "wf", state=edited(state, random))
            raise LookupError

        with pytest.raises(LookupError):
            store.write(work)
        state = edited(state, random)
        _saved(store, model, state)
    model.require(store)
    assert [each.sequence for each in model.states] == list(range(1, 12))


def test_save_when_one_of_a_batch_is_taken_back_then_the_next_is_a_difference_from_what_stands(
    path: Path, open_store: OpenStore
) -> None:
    store, model, random = open_store(path, durability="process"), Model(), Random(3)
    states = [first_state(random, 30)]
    for _ in range(8):
        states.append(edited(states[-1], random))

    def work(number: int) -> Callable[[Any], CheckpointId]:
        def run(uow: Any) -> CheckpointId:
            saved = put_checkpoint(uow, "wf", state=states[number])
            if number % 3 == 1:
                raise LookupError
            return saved.id

        return run

    written = store.write_each([work(number) for number in range(9)])

    last = None
    for number, each in enumerate(written):
        if each.result is not None:
            model.add(each.result, last, state=states[number])
            last = each.result
    assert len(model.states) == 6
    model.require(store)


@pytest.mark.parametrize("when", ["dropped", "reopened", "forked"])
def test_save_when_the_connection_is_another_then_the_chain_goes_on(
    path: Path, open_store: OpenStore, when: str
) -> None:
    store, model, random = open_store(path, durability="process"), Model(), Random(4)
    other = open_store(path, durability="process")
    state = first_state(random, 30)
    for _ in range(12):
        state = edited(state, random)
        _saved(store, model, state)
        if when == "dropped":
            with store._connections.writing(1.0):
                store._connections.drop_writer()
        elif when == "reopened":
            store.close()
            store = open_store(path, durability="process")
        else:
            store.before_fork()
            store.after_fork_in_child()  # as in a child: locks and a queue of its own
        state = edited(state, random)
        _saved(other, model, state)
    model.require(store)


def test_save_when_there_are_more_workflows_than_are_remembered_then_all_goes_on(
    path: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_memory, "_MOST_WORKFLOWS", 3)
    monkeypatch.setattr(tails, "_MOST_WORKFLOWS", 3)
    store, random = open_store(path, durability="process"), Random(5)
    states = {f"w{n}": first_state(random, 20) for n in range(8)}
    for turn in range(6):
        for name in list(states):
            states[name] = edited(states[name], random)
            saved = save_checkpoint(store, name, state=states[name])
            assert saved.id.sequence == turn + 1
    for name, state in states.items():
        head = newest(store, name)
        assert head is not None
        model = Model({head: {"": state}})
        model.require(store)
    memory = store._connections.memory
    assert len(memory.workflows) <= 4
    assert len(memory.tails._tails) <= 3


def test_tails_when_they_are_over_their_limit_then_the_oldest_go_and_it_counts_right() -> None:
    kept = Tails(most=100)
    for number in range(10):
        kept.put(number, _tail(number, 30))

    assert [kept.get(number, b"%d" % number) is not None for number in range(10)] == (
        [False] * 7 + [True] * 3
    )
    grown = kept.get(9, b"9")
    assert grown is not None
    grown.states[Scope("w", "s")] = b"x" * 65
    grown.size += 65
    kept.put(9, grown)
    assert kept.get(8, b"8") is None
    assert kept.get(9, b"9") is grown
    kept.put(11, _tail(11, 101))
    assert kept.get(11, b"11") is None, "larger than all that may be kept"
    assert (len(kept._tails), kept._total, kept._sizes) == (0, 0, {})


def test_tails_when_the_chain_ends_with_another_link_then_there_is_none() -> None:
    kept = Tails()
    kept.put(1, _tail(1, 10))

    assert kept.get(1, b"2") is None
    assert kept.get(2, b"1") is None


def test_save_when_the_tails_are_over_their_limit_then_it_is_right_all_the_same(
    path: Path, open_store: OpenStore
) -> None:
    store, model, random = open_store(path, durability="process"), Model(), Random(6)
    store._connections.memory.tails = Tails(most=1)
    state = first_state(random, 30)
    for _ in range(20):
        state = edited(state, random)
        _saved(store, model, state)
    model.require(store)


def test_save_when_it_was_interrupted_while_its_state_was_being_remembered_then_nothing_is_wrong(
    path: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupting(dict[Scope, bytes | bytearray]):
        def __setitem__(self, scope: Scope, text: bytes | bytearray) -> None:
            super().__setitem__(scope, text)
            raise KeyboardInterrupt

    store, model, random = open_store(path, durability="process"), Model(), Random(7)
    state = first_state(random, 30)
    _saved(store, model, state)
    (tail,) = store._connections.memory.tails._tails.values()
    tail.states = Interrupting(tail.states)
    assert tail.rebuild is not None
    tail.rebuild.whole = tail.states
    # Of the same length: a difference from it would fit what it is not from.
    lost = {**state, "goal": "X" * len(state["goal"])}

    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(store, "wf", state=lost)
    tail.rebuild.whole = tail.states = dict(tail.states)
    _saved(store, model, {**state, "seen": {}, "goal": lost["goal"]})

    model.require(store)


def _tail(number: int, size: int) -> Tail:
    rebuild = Rebuild(JsonCodec())
    rebuild.whole[Scope("w")] = b"x" * size
    return Tail(b"%d" % number, rebuild)


def _facts(store: SqliteStore) -> set[str]:
    row = store.write(lambda uow: uow.checkpoints._tx.workflow("wf"))  # type: ignore[attr-defined]
    return {"branched"} if row.branched else set()


def test_save_when_another_wrote_elsewhere_then_one_look_tells_that_the_rest_still_holds(
    path: Path, open_store: OpenStore
) -> None:
    ours, other = (open_store(path, durability="process") for _ in "12")
    for _ in range(3):
        save_checkpoint(ours, "wf", state={"n": 1})
        save_checkpoint(other, "elsewhere", state={"n": 1})

    assert _looks(ours, "wf") == 1
    save_checkpoint(other, "wf", state={"n": 2})
    assert _looks(ours, "wf") > 1, "the head is another"
    assert newest(ours, "wf") == CheckpointId("wf", None, None, 6)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE workflows SET handler = 'x', seal = x'00'",
        "UPDATE checkpoints SET since_rows = 7 WHERE sequence = 3",
        "INSERT INTO leases VALUES ('wf', 9, 't', '[]', 60.0, 1, 1, NULL, 1, NULL, x'00')",
    ],
)
def test_save_when_what_is_remembered_is_not_so_any_more_then_it_is_read_again(
    path: Path, open_store: OpenStore, change: str
) -> None:
    store = open_store(path, durability="process")
    for _ in range(3):
        save_checkpoint(store, "wf", state={"n": 1})
    with sqlite3.connect(path) as stranger:
        stranger.execute(change)
    stranger.close()

    with pytest.raises(CheckpointCorrupted):  # it does not bear our seal
        store.write(lambda uow: (uow.leases.get("wf"), uow.checkpoints.standing("wf")))


def _looks(store: SqliteStore, workflow_id: str) -> int:
    """Return how many times a save reads from a table."""
    seen: list[str] = []
    connection = store._connections._writing
    assert connection is not None
    connection.set_trace_callback(seen.append)
    save_checkpoint(store, workflow_id, state={"n": 2})
    connection.set_trace_callback(None)
    return sum(text.startswith("SELECT") for text in seen)
