"""What every sequence generator promises."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import pytest

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.payload import EMPTY
from ...domain.ports import Store, UnitOfWork

Save = Callable[..., Checkpoint]


class SequenceGeneratorContract:
    """Subclass it for each adapter, with a fixture ``store``."""

    def test_next_when_the_workflow_is_new_then_one(self, store: Store) -> None:
        assert store.write(lambda uow: uow.sequences.next("wf")) == 1

    def test_next_when_checkpoints_are_added_then_it_grows_for_each_workflow_by_itself(
        self, store: Store, save: Save
    ) -> None:
        ids = [save(store, scope).id for scope in ("a", "b", "a/s", "a/s/x", "b")]

        assert [str(each) for each in ids] == ["a@1", "b@1", "a/s@2", "a/s/x@3", "b@2"]

    def test_next_when_several_are_added_in_one_unit_of_work_then_each_has_its_own(
        self, store: Store, put: Save
    ) -> None:
        ids = store.write(lambda uow: [put(uow).id.sequence for _ in range(5)])

        assert ids == [1, 2, 3, 4, 5]

    def test_next_when_the_unit_of_work_was_rolled_back_then_above_all_that_were_acknowledged(
        self, store: Store, save: Save, put: Save
    ) -> None:
        acknowledged = [save(store).id.sequence, save(store).id.sequence]

        def work(uow: UnitOfWork) -> None:
            put(uow)
            put(uow)
            raise LookupError

        with pytest.raises(LookupError):
            store.write(work)

        # It may be given out again: nobody was ever told of it.
        assert save(store).id.sequence > max(acknowledged)

    def test_next_when_the_first_unit_of_work_was_rolled_back_then_the_workflow_is_still_new(
        self, store: Store, put: Save
    ) -> None:
        def work(uow: UnitOfWork) -> None:
            put(uow)
            raise LookupError

        with pytest.raises(LookupError):
            store.write(work)

        assert store.read(lambda uow: uow.checkpoints.standing("wf")) is None
        assert store.write(lambda uow: put(uow).id.sequence) >= 1

    def test_next_when_started_again_from_an_older_parent_then_no_number_comes_again(
        self, store: Store, save: Save
    ) -> None:
        root = save(store)
        save(store)
        save(store)

        assert save(store, parent=root.id).id.sequence == 4

    @pytest.mark.parametrize("highest", [2, 1_000_000, 2**62])
    def test_next_when_a_higher_number_was_kept_then_it_goes_on_above(
        self, store: Store, save: Save, at: datetime, highest: int
    ) -> None:
        checkpoint = Checkpoint(
            CheckpointId("wf", None, None, highest),
            CheckpointType.PROGRESS,
            CheckpointStatus.COMPLETED,
            at,
            at,
        )
        store.write(lambda uow: uow.checkpoints.add(checkpoint, EMPTY))

        assert save(store).id.sequence == highest + 1

    def test_next_when_many_threads_write_then_no_number_comes_twice(
        self, store: Store, save: Save
    ) -> None:
        barrier = threading.Barrier(4)
        given: list[int] = []

        def write() -> None:
            barrier.wait()
            given.extend([save(store).id.sequence for _ in range(10)])

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(given) == list(range(1, 41))
