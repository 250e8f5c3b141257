"""A keyframe made of what the writer remembers is the one that reading the chain would make."""

from __future__ import annotations

from pathlib import Path
from random import Random

import holdfast
import pytest
from holdfast.domain.errors import ScopeOpen
from holdfast.domain.ports import UnitOfWork
from holdfast.infrastructure.sqlite import tails
from holdfast.infrastructure.sqlite.chains import Chains
from holdfast.infrastructure.sqlite.keyframe_text import encode_keyframe
from holdfast.infrastructure.sqlite.keyframes import Keyframes
from holdfast.infrastructure.sqlite.rebuild import Rebuild
from holdfast.infrastructure.sqlite.rows import CheckpointRow, intact_row
from holdfast.infrastructure.sqlite.statements import CHECKPOINT_COLUMNS
from holdfast.infrastructure.sqlite.unit_of_work import SqliteUnitOfWork


def _act(engine: holdfast.Engine, random: Random, number: int) -> None:
    """Write something into ``wf``: whatever may follow."""
    stage = random.choice(["load", "sum"])
    agent = random.choice(["a", "b", None])
    states = {"n": number, "list": [number] * random.randrange(900), "s": {"a": 1}}
    match random.randrange(7):
        case 0:
            engine.checkpoint("wf", state=states, stage_id=stage, agent_id=agent)
        case 1 | 2:
            engine.checkpoint("wf", state=states, metadata={"number": number})
        case 3:
            engine.checkpoint("wf", patch={"s": {str(number % 5): number}, "list": None})
        case 4:
            of = {"stage_id": stage, "agent_id": agent} if agent else {"stage_id": stage}
            kind = "agent_start" if agent else "stage_start"
            engine.checkpoint("wf", type=kind, input={"of": number}, **of)  # type: ignore[arg-type]
        case 5:
            last = engine.checkpoint("wf", stage_id=stage, agent_id=agent)
            engine.complete(last.id, {"out": number}, abandon=True)
        case 6:
            engine.checkpoint("wf", stage_id=stage, patch={"x": number}, resume_handler="carry-on")


@pytest.mark.parametrize("seed", range(4))
def test_keyframe_when_the_writer_remembers_its_chain_then_it_holds_what_reading_it_gives(
    tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    with holdfast.open(tmp_path / "s.db", durability="process") as engine:
        engine.checkpoint("wf", type="workflow_start", input={"root": "src"})
        for number in range(400):
            try:
                _act(engine, random, number)
            except (holdfast.IllegalTransition, ScopeOpen):
                continue  # open already, or not opened
        count, differing = engine._kernel.dispatcher.store.read(_differing_keyframes)

    assert count >= 8
    assert not differing


def test_tail_when_what_it_holds_as_values_is_much_then_it_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "_MOST_IN_VALUES", 4000)
    with holdfast.open(tmp_path / "s.db", durability="process") as engine:
        for number in range(100):
            engine.checkpoint("wf", patch={str(number % 7): "x" * 50})
            engine.checkpoint("wf", stage_id="s", state={"n": number})
        store = engine._kernel.dispatcher.store
        (tail,) = store._connections.memory.tails._tails.values()  # type: ignore[attr-defined]
        assert tail._in_values <= 4000
        assert store.read(_differing_keyframes) == (6, [])


def _differing_keyframes(uow: UnitOfWork) -> tuple[int, list[int]]:
    """Return how many there are, and the numbers of those that differ from their chains."""
    assert isinstance(uow, SqliteUnitOfWork)
    transaction = uow.transaction
    chains, keyframes = Chains(transaction, Keyframes(transaction)), Keyframes(transaction)
    workflow = transaction.workflow("wf")
    assert workflow is not None
    text = f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoints WHERE keyframe = number ORDER BY number"  # noqa: S608 - names of columns
    found = [intact_row(row, "wf") for row in transaction.connection.execute(text).fetchall()]

    def differs(row: CheckpointRow) -> bool:
        whole = chains._add_rows(Rebuild(transaction.store.codec), 0, workflow, row)
        return encode_keyframe(whole) != keyframes._text(row.number, "it")

    return len(found), [row.number for row in found if differs(row)]


@pytest.mark.parametrize("about", ["patch", "output"])
def test_keyframe_when_rows_are_large_and_held_as_values_then_it_is_written_all_the_same(
    tmp_path: Path, about: str
) -> None:
    with holdfast.open(tmp_path / "s.db", durability="process") as engine:
        engine.checkpoint("wf", state={"log": []})
        text = Random(1).randbytes(300_000).hex()  # which does not become small when compressed
        for number in range(100):
            value = {str(number % 3): text}
            engine.checkpoint("wf", **{about: value})  # type: ignore[arg-type]
        store = engine._kernel.dispatcher.store
        assert store.read(_differing_keyframes) == (3, [])
        (tail,) = store._connections.memory.tails._tails.values()  # type: ignore[attr-defined]
        assert tail.size < tails._MOST_BYTES / 8


def test_tails_when_contexts_were_patched_then_they_count_what_they_hold(tmp_path: Path) -> None:
    size = 100_000
    with holdfast.open(tmp_path / "s.db", durability="process") as engine:
        for workflow in range(5):
            for number in range(40):
                text = "x" * (size if number == 0 else 10)
                engine.checkpoint(f"wf-{workflow}", patch={str(number): text})
        store = engine._kernel.dispatcher.store
        known = store._connections.memory.tails  # type: ignore[attr-defined]
        held = [tail for tail in known._tails.values() if tail.rebuild is not None]

        assert len(held) == 5
        assert known._total >= 5 * size
        assert known._total == sum(tail.size for tail in known._tails.values())
