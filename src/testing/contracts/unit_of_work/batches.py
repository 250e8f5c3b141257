"""Every store runs many transactions together, each with its own outcome."""

from __future__ import annotations

from functools import partial
from typing import NoReturn

import pytest

from ....domain.checkpoint_id import CheckpointId
from ....domain.errors import StoreClosed
from ....domain.ports import Store, UnitOfWork
from .material import EVENT, Save, ids, view


class Batches:
    """See `StoreContract`."""

    # Many at once, each a transaction of its own.

    def test_write_each_when_there_are_none_then_nothing_becomes_of_nothing(
        self, store: Store
    ) -> None:
        assert store.write_each([]) == []

    def test_write_each_when_all_go_well_then_their_results_come_in_order_and_all_is_there(
        self, store: Store, put: Save
    ) -> None:
        written = store.write_each([partial(_put_id, put, f"w{n}") for n in range(9)])

        assert [each.result for each in written] == [f"w{n}@1" for n in range(9)]
        assert [each.error for each in written] == [None] * 9
        assert ids(store) == [f"w{n}@1" for n in range(8, -1, -1)]

    def test_write_each_when_some_raise_then_each_has_its_own_outcome_and_only_theirs_is_missing(
        self, store: Store, put: Save
    ) -> None:
        def work(number: int, uow: UnitOfWork) -> str:
            saved = put(uow, "wf", state={"n": number})
            uow.events.append(EVENT)
            if number % 3 == 1:
                raise LookupError(number)
            return str(saved.id)

        written = store.write_each([partial(work, number) for number in range(9)])

        # What was taken back leaves no gap, and nobody stands on it.
        assert [each.result for each in written] == [
            "wf@1", None, "wf@2", "wf@3", None, "wf@4", "wf@5", None, "wf@6",
        ]  # fmt: skip
        assert [repr(each.error) for each in written if each.error] == [
            f"LookupError({number})" for number in (1, 4, 7)
        ]
        head = CheckpointId("wf", None, None, 6)
        chain = store.read(lambda uow: uow.checkpoints.chain(head))
        assert [each.sequence for each in chain] == [6, 5, 4, 3, 2, 1]
        states = [store.read(partial(_state, each)) for each in reversed(chain)]
        assert states == [b'{"n":%d}' % number for number in (0, 2, 3, 5, 6, 8)]
        assert len(store.read(lambda uow: uow.events.read())) == 12

    def test_write_each_when_a_later_one_looks_then_it_sees_what_an_earlier_one_wrote(
        self, store: Store, put: Save
    ) -> None:
        written = store.write_each([lambda uow: str(put(uow).id), view])

        assert written[1].result == ["wf@1"]

    def test_write_each_when_closed_then_each_is_refused_and_nothing_is_raised(
        self, store: Store
    ) -> None:
        runs: list[UnitOfWork] = []
        store.close()

        written = store.write_each([runs.append, runs.append])

        assert [type(each.error) for each in written] == [StoreClosed, StoreClosed]
        assert runs == []

    def test_write_each_when_one_is_interrupted_then_the_interrupt_comes_through(
        self, store: Store, put: Save
    ) -> None:
        def interrupted(uow: UnitOfWork) -> NoReturn:
            put(uow, "interrupted")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.write_each([interrupted, put])

        assert "interrupted@1" not in ids(store)
        assert str(store.write(put).id).startswith("wf@")


def _put_id(put: Save, workflow: str, uow: UnitOfWork) -> str:
    return str(put(uow, workflow).id)


def _state(checkpoint_id: CheckpointId, uow: UnitOfWork) -> bytes | None:
    return uow.checkpoints.payload(checkpoint_id).state
