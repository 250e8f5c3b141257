"""Every store runs work as whole transactions."""

from __future__ import annotations

import threading
from typing import NoReturn

import pytest

from ....domain.checkpoint_id import CheckpointId
from ....domain.errors import NotFound
from ....domain.ports import Store, UnitOfWork
from .material import (
    AT,
    ATTEMPT,
    EVENT,
    LEASE,
    Save,
    everything,
    ids,
    write_everything,
)


class Writing:
    """See `StoreContract`."""

    # A transaction is whole.

    def test_write_when_its_work_returns_then_it_returns_that(self, store: Store) -> None:
        result = object()

        assert store.write(lambda _: result) is result
        assert store.read(lambda _: result) is result

    def test_write_when_its_work_returns_then_everything_it_wrote_is_there(
        self, store: Store, put: Save
    ) -> None:
        store.write(lambda uow: write_everything(uow, put))

        assert everything(store) == {
            "checkpoints": ["wf@1"],
            "standing": True,
            "lease": LEASE,
            "attempts": [ATTEMPT],
            "events": ["created", "lease_taken"],
        }

    @pytest.mark.parametrize("error", [LookupError("ours"), KeyboardInterrupt(), SystemExit(3)])
    def test_write_when_its_work_raises_then_nothing_is_written_and_the_error_comes_through(
        self, store: Store, put: Save, error: BaseException
    ) -> None:
        def work(uow: UnitOfWork) -> NoReturn:
            write_everything(uow, put)
            raise error

        before = everything(store)

        with pytest.raises(type(error)) as caught:
            store.write(work)

        assert caught.value is error
        assert everything(store) == before

    def test_write_when_its_work_raises_then_updates_are_taken_back_too(
        self, store: Store, save: Save
    ) -> None:
        def work(uow: UnitOfWork) -> NoReturn:
            opening.kill("taken back", AT)
            uow.checkpoints.update(opening)
            raise LookupError

        opening = save(store, "wf", "workflow_start", resume_handler="h")

        with pytest.raises(LookupError):
            store.write(work)

        found = store.read(lambda uow: uow.checkpoints.get(opening.id))
        standing = store.read(lambda uow: uow.checkpoints.standing("wf"))
        assert (found.status.value, found.reason) == ("active", None)
        assert standing is not None
        assert standing.status is not None
        assert standing.status.value == "active"
        assert [each.id for each in store.read(lambda uow: uow.checkpoints.unfinished("wf"))] == [
            opening.id
        ]

    def test_write_when_its_work_raises_then_a_branch_that_it_began_is_forgotten(
        self, store: Store, save: Save, put: Save
    ) -> None:
        def work(uow: UnitOfWork) -> NoReturn:
            put(uow, "wf", parent=root.id)
            raise LookupError

        root = save(store, "wf")
        end = save(store, "wf/s", "stage_complete")

        with pytest.raises(LookupError):
            store.write(work)

        found = store.read(lambda uow: uow.checkpoints.scope_last(end.scope, end.id))
        assert found is not None
        assert save(store, "wf").parent_id == end.id

    def test_write_when_an_earlier_one_returned_then_a_later_one_that_raises_does_not_harm_it(
        self, store: Store, save: Save, put: Save
    ) -> None:
        def work(uow: UnitOfWork) -> NoReturn:
            put(uow, "wf")
            put(uow, "other")
            raise LookupError

        save(store, "wf")
        with pytest.raises(LookupError):
            store.write(work)
        save(store, "wf")

        assert ids(store) == ["wf@2", "wf@1"]

    def test_write_when_work_that_raised_is_run_again_then_its_effects_are_there_once(
        self, store: Store, put: Save
    ) -> None:
        runs = []

        def work(uow: UnitOfWork) -> str:
            runs.append(1)
            saved = put(uow, "wf", "workflow_start")
            uow.leases.put(LEASE)
            uow.events.append(EVENT)
            if len(runs) == 1:
                raise TimeoutError
            return str(saved.id)

        with pytest.raises(TimeoutError):
            store.write(work)
        assert store.write(work) == "wf@1"

        assert everything(store)["events"] == ["created", "lease_taken"]
        assert ids(store) == ["wf@1"]

    def test_write_when_its_work_catches_an_error_then_the_rest_is_written(
        self, store: Store, put: Save
    ) -> None:
        def work(uow: UnitOfWork) -> None:
            put(uow, "wf")
            with pytest.raises(NotFound):
                uow.checkpoints.get(CheckpointId("wf", None, None, 9))
            put(uow, "wf")

        store.write(work)

        assert ids(store) == ["wf@2", "wf@1"]

    def test_write_when_a_time_limit_is_given_then_work_without_trouble_is_done(
        self, store: Store, put: Save
    ) -> None:
        assert str(store.write(put, timeout=0.0).id) == "wf@1"

    def test_write_when_many_threads_write_then_every_acknowledged_one_is_there(
        self, store: Store, save: Save
    ) -> None:
        barrier = threading.Barrier(8)
        acknowledged: list[str] = []

        def write(workflow: str) -> None:
            barrier.wait()
            acknowledged.extend([str(save(store, workflow).id) for _ in range(5)])

        threads = [threading.Thread(target=write, args=(f"wf-{n % 3}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(acknowledged) == 40
        assert sorted(acknowledged) == sorted(ids(store))
