"""Damage to differences and keyframes: noticed, named, and costing only what depends on it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.errors import CheckpointCorrupted, Damaged
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite.store import SqliteStore

from .conftest import save_checkpoint
from .histories import Model, edited, first_state, newest

OpenStore = Callable[..., SqliteStore]
Behind = Callable[..., list[Any]]

LENGTH = 200
OTHER = "other"


class Chain:
    """A chain of states, each edited from the one before; and beside it a second one like it."""

    def __init__(self) -> None:
        self.model = Model()
        self.ids: list[CheckpointId] = []

    def fill(self, store: SqliteStore) -> None:
        random = Random(3)
        state = first_state(random, 40)
        for _ in range(LENGTH):
            state = edited(state, random)
            state.setdefault("filling", ["kept as it is"] * 900)
            saved = save_checkpoint(store, "wf", state=state).id
            save_checkpoint(store, OTHER, state={**state, "whose": "the other's"})
            self.model.add(saved, self.ids[-1] if self.ids else None, state=state)
            self.ids.append(saved)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, empty_store_file: Path) -> tuple[Path, Chain]:
    path = tmp_path_factory.mktemp("filled") / "store.db"
    shutil.copyfile(empty_store_file, path)
    chain = Chain()
    with closing(SqliteStore.open(path, JsonCodec(), durability="process")) as store:
        chain.fill(store)
    return path, chain


@pytest.fixture
def chain(filled: tuple[Path, Chain]) -> Chain:
    return filled[1]


@pytest.fixture
def store(path: Path, filled: tuple[Path, Chain], open_store: OpenStore) -> SqliteStore:
    shutil.copyfile(filled[0], path)
    return open_store(path)


@pytest.fixture
def of_keyframes(store: SqliteStore, behind: Behind) -> list[tuple[int, int, int | None]]:
    """The keyframes of the chain: number, sequence of its checkpoint, number of its base."""
    return [
        (number, sequence, base)
        for number, sequence, base in behind(
            "SELECT k.number, c.sequence, k.base FROM keyframes AS k JOIN checkpoints AS c "
            "ON c.number = k.number JOIN workflows AS w ON w.id = c.workflow "
            "WHERE w.workflow_id = 'wf' ORDER BY k.number"
        )
    ]


def test_history_when_nothing_is_damaged_then_it_has_what_is_to_be_damaged(
    store: SqliteStore, chain: Chain, of_keyframes: list[tuple[int, int, int | None]]
) -> None:
    chain.model.require(store)

    assert len(of_keyframes) >= 4
    assert [base for _, _, base in of_keyframes].count(None) >= 1
    assert any(base is not None for _, _, base in of_keyframes)


@pytest.mark.parametrize("sequence", [1, 2, 20, 33, 70, 100, 150, LENGTH - 1, LENGTH])
def test_replay_when_one_difference_is_damaged_then_only_what_depends_on_it_is_lost(
    store: SqliteStore,
    chain: Chain,
    behind: Behind,
    of_keyframes: list[tuple[int, int, int | None]],
    sequence: int,
) -> None:
    _flip(behind, "checkpoints", "sequence = ? AND workflow = 1", sequence)
    with_keyframe = [at for _, at, _ in of_keyframes if at >= sequence]
    back = min(with_keyframe, default=LENGTH + 1)

    before = chain.ids[sequence - 2] if sequence > 1 else None
    for each in chain.ids:
        if sequence <= each.sequence < back:
            with pytest.raises(CheckpointCorrupted) as caught:
                store.read(lambda uow, each=each: uow.checkpoints.replay(each))  # type: ignore[misc]
            assert caught.value.subject == f"wf@{sequence}"
            assert _newest_intact(store, each) == before
        else:
            assert _newest_intact(store, each) == each
    intact = [each for each in chain.ids if not sequence <= each.sequence < back]
    for each in intact[:: max(1, len(intact) // 20)]:
        if each.sequence == sequence:
            continue  # its keyframe stands for it; its own payload is what is damaged
        _require(chain, store, each)


@pytest.mark.parametrize("column", ["base", "depth", "size", "body_digest", "seal", "body"])
@pytest.mark.parametrize("which", [0, 1, -1])
def test_replay_when_a_keyframe_is_damaged_then_the_rows_before_it_stand_for_it(
    store: SqliteStore,
    chain: Chain,
    behind: Behind,
    of_keyframes: list[tuple[int, int, int | None]],
    column: str,
    which: int,
) -> None:
    number, _, _ = of_keyframes[which]
    if column in ("base", "depth", "size"):
        behind(f"UPDATE keyframes SET {column} = ifnull({column}, 0) + 1 WHERE number = ?", number)  # noqa: S608
    else:
        _flip(behind, "keyframes", "number = ?", number, column=column)

    for each in chain.ids[::9]:
        _require(chain, store, each)
        assert _newest_intact(store, each) == each
    _go_on(chain, store)


@pytest.mark.parametrize("way", ["damaged", "gone"])
def test_replay_when_every_keyframe_is_damaged_or_gone_then_nothing_is_lost(
    store: SqliteStore, chain: Chain, behind: Behind, way: str
) -> None:
    behind("DELETE FROM keyframes" if way == "gone" else "UPDATE keyframes SET body = x'00'")

    for each in chain.ids[::20]:
        _require(chain, store, each)
    _go_on(chain, store)


def test_replay_when_the_base_of_keyframes_is_damaged_and_the_rows_are_gone_then_it_is_told(
    store: SqliteStore,
    chain: Chain,
    behind: Behind,
    of_keyframes: list[tuple[int, int, int | None]],
) -> None:
    base = next(base for _, _, base in of_keyframes if base is not None)
    on_it = [(n, at) for n, at, its_base in of_keyframes if its_base == base]
    (number, at), *_ = on_it
    behind("DELETE FROM checkpoints WHERE workflow = 1 AND sequence < ?", at)
    _flip(behind, "keyframes", "number = ?", base)
    each = chain.ids[at - 1]

    with pytest.raises(CheckpointCorrupted, match=f"keyframe {number} of wf") as caught:
        store.read(lambda uow: uow.checkpoints.replay(each))

    assert f"number {base}" in str(caught.value)
    assert _newest_intact(store, each) is None


def test_replay_when_rows_before_a_keyframe_are_damaged_or_gone_then_it_stands_for_them(
    store: SqliteStore,
    chain: Chain,
    behind: Behind,
    of_keyframes: list[tuple[int, int, int | None]],
) -> None:
    _, at, _ = of_keyframes[1]
    behind("UPDATE checkpoints SET body = x'00' WHERE workflow = 1 AND sequence < 20")
    behind("DELETE FROM checkpoints WHERE workflow = 1 AND sequence > 30 AND sequence < ?", at - 1)

    for each in chain.ids[at - 1 :: 7]:
        _require(chain, store, each)
    _go_on(chain, store)


def test_replay_when_a_row_points_to_a_keyframe_of_another_chain_then_that_is_not_given(
    store: SqliteStore,
    chain: Chain,
    behind: Behind,
    of_keyframes: list[tuple[int, int, int | None]],
) -> None:
    # The nearest keyframe is damaged, and the row that says which one was before it, too.
    number, at, _ = of_keyframes[2]
    _, at_before, _ = of_keyframes[1]
    ((others,),) = behind(
        "SELECT number FROM checkpoints WHERE workflow = 2 AND sequence = ?", at_before
    )
    _flip(behind, "keyframes", "number = ?", number)
    behind(
        "UPDATE checkpoints SET keyframe = ? WHERE workflow = 1 AND sequence = ?", others, at - 1
    )
    _differ(behind, others)

    with pytest.raises(Damaged) as caught:
        store.read(lambda uow: uow.checkpoints.replay(chain.ids[at - 1]))

    assert f"wf@{at - 1}" in str(caught.value)


@pytest.mark.parametrize("sequence", [LENGTH - 1, LENGTH])
def test_saving_when_the_end_of_the_chain_is_damaged_then_it_goes_on(
    store: SqliteStore, chain: Chain, behind: Behind, sequence: int
) -> None:
    _flip(behind, "checkpoints", "sequence = ? AND workflow = 1", sequence)
    state = {"after": "damage", "filling": ["kept"] * 900}

    for n in range(70):
        saved = save_checkpoint(store, "wf", state={**state, "n": n})

    # What stands on damage cannot be told; what it stores itself can, as long as it stands alone.
    with pytest.raises(CheckpointCorrupted):
        store.read(lambda uow: uow.checkpoints.replay(saved.id))
    assert _newest_intact(store, saved.id) == chain.ids[sequence - 2]
    again = save_checkpoint(store, "wf", parent=chain.ids[sequence - 2], state=state)
    assert store.read(lambda uow: uow.checkpoints.replay(again.id)).record(again.scope).state == {
        **state
    }


def _newest_intact(store: SqliteStore, checkpoint_id: CheckpointId) -> CheckpointId | None:
    return store.read(lambda uow: uow.checkpoints.newest_intact(checkpoint_id))


def _require(chain: Chain, store: SqliteStore, checkpoint_id: CheckpointId) -> None:
    chain.model.require(store, [checkpoint_id])


def _go_on(chain: Chain, store: SqliteStore) -> None:
    """Save some more, over the next keyframe; it must all read back."""
    random = Random(8)
    head = newest(store)
    assert head is not None
    model, state = Model(), chain.model.states[head][""]
    model.states[head] = chain.model.states[head]
    for _ in range(40):
        state = edited(state, random)
        saved: Checkpoint = save_checkpoint(store, "wf", state=state)
        model.add(saved.id, saved.parent_id, state=state)
    model.require(store, [saved.id])


def _flip(behind: Behind, table: str, where: str, key: int, *, column: str = "body") -> None:
    ((stored,),) = behind(f"SELECT {column} FROM {table} WHERE {where}", key)  # noqa: S608
    middle = len(stored) // 2
    flipped = stored[:middle] + bytes([stored[middle] ^ 1]) + stored[middle + 1 :]
    behind(f"UPDATE {table} SET {column} = ? WHERE {where}", flipped, key)  # noqa: S608


def _differ(behind: Behind, number: int) -> None:
    """Require that there is such a keyframe, so that it could be given."""
    assert behind("SELECT 1 FROM keyframes WHERE number = ?", number) == [(1,)]
