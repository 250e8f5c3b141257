"""What every store and its unit of work promise: whole transactions, views that stand still."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

import pytest
from holdfast.domain.attempt import Attempt
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.errors import HoldfastError, NotFound, StorageUnavailable, StoreClosed
from holdfast.domain.events import DomainEvent, EventKind
from holdfast.domain.lease import Lease, Owner
from holdfast.domain.moment import Moment
from holdfast.domain.ports import CheckpointFilter, Store, UnitOfWork

Save = Callable[..., Checkpoint]

AT = datetime(2026, 3, 1, tzinfo=UTC)
OWNER = Owner("host", "boot", "pid:[1]", 7, 8)
LEASE = Lease("wf", 1, "token", OWNER, 60.0, AT, Moment(AT, "boot", 1))
ATTEMPT = Attempt("wf", 1, 1, "handler", OWNER, "correlation", AT, 0)
EVENT = DomainEvent(EventKind.LEASE_TAKEN, "wf", AT)
# So long a test waits for what should not happen, or may not happen.
A_MOMENT = 0.2


class StoreContract:
    """Subclass it for each adapter, with a fixture ``store``."""

    # A transaction is whole.

    def test_write_when_its_work_returns_then_it_returns_that(self, store: Store) -> None:
        result = object()

        assert store.write(lambda _: result) is result
        assert store.read(lambda _: result) is result

    def test_write_when_its_work_returns_then_everything_it_wrote_is_there(
        self, store: Store, put: Save
    ) -> None:
        store.write(lambda uow: _write_everything(uow, put))

        assert _everything(store) == {
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
            _write_everything(uow, put)
            raise error

        before = _everything(store)

        with pytest.raises(type(error)) as caught:
            store.write(work)

        assert caught.value is error
        assert _everything(store) == before

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

        assert _ids(store) == ["wf@2", "wf@1"]

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

        assert _everything(store)["events"] == ["created", "lease_taken"]
        assert _ids(store) == ["wf@1"]

    def test_write_when_its_work_catches_an_error_then_the_rest_is_written(
        self, store: Store, put: Save
    ) -> None:
        def work(uow: UnitOfWork) -> None:
            put(uow, "wf")
            with pytest.raises(NotFound):
                uow.checkpoints.get(CheckpointId("wf", None, None, 9))
            put(uow, "wf")

        store.write(work)

        assert _ids(store) == ["wf@2", "wf@1"]

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
        assert sorted(acknowledged) == sorted(_ids(store))

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
        assert _ids(store) == [f"w{n}@1" for n in range(8, -1, -1)]

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
        written = store.write_each([lambda uow: str(put(uow).id), _view])

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

        assert "interrupted@1" not in _ids(store)
        assert str(store.write(put).id).startswith("wf@")

    # A view stands still.

    def test_read_when_its_work_raises_then_the_error_comes_through_and_the_store_goes_on(
        self, store: Store, save: Save
    ) -> None:
        def work(uow: UnitOfWork) -> NoReturn:
            next(uow.checkpoints.find(CheckpointFilter()))
            raise KeyboardInterrupt

        save(store)
        with pytest.raises(KeyboardInterrupt):
            store.read(work)

        save(store)

        assert _ids(store) == ["wf@2", "wf@1"]

    def test_read_when_somebody_writes_meanwhile_then_its_view_does_not_change(
        self, store: Store, save: Save
    ) -> None:
        looked = threading.Event()
        written = threading.Event()

        def write() -> None:
            looked.wait()
            save(store, "wf")
            save(store, "new")
            written.set()

        def work(uow: UnitOfWork) -> list[list[str]]:
            views = [_view(uow)]
            looked.set()
            # A store may keep writers waiting as long as a view is open: then this runs out.
            written.wait(A_MOMENT)
            views.append(_view(uow))
            return views

        save(store, "wf")
        writer = threading.Thread(target=write)
        writer.start()
        views = store.read(work)
        writer.join()

        assert views == [["wf@1"], ["wf@1"]]
        assert store.read(_view) == ["new@1", "wf@2", "wf@1"]

    def test_read_when_a_write_is_under_way_then_nothing_of_it_is_seen(
        self, store: Store, put: Save
    ) -> None:
        written = threading.Event()
        seen: list[list[str]] = []

        def read() -> None:
            written.wait()
            seen.append(_ids(store))

        def work(uow: UnitOfWork) -> NoReturn:
            put(uow)
            written.set()
            # A store may keep readers waiting as long as a write is under way.
            reader.join(A_MOMENT)
            raise LookupError

        reader = threading.Thread(target=read)
        reader.start()
        with pytest.raises(LookupError):
            store.write(work)
        reader.join()

        assert seen == [[]]

    def test_read_when_its_work_writes_all_the_same_then_nothing_is_kept(
        self, store: Store, save: Save, put: Save
    ) -> None:
        save(store, "before")
        with suppress(HoldfastError):  # it may be refused
            store.read(lambda uow: _write_everything(uow, put))

        assert _ids(store) == ["before@1"]
        assert _everything(store)["lease"] is None
        assert str(save(store, "wf").id) == "wf@1"

    # Closing.

    def test_close_when_done_twice_then_it_does_no_harm(self, store: Store, save: Save) -> None:
        save(store)

        store.close()
        store.close()

    def test_close_when_nothing_was_done_then_it_does_no_harm(self, store: Store) -> None:
        store.close()
        store.close()

    def test_using_when_closed_then_it_is_refused_and_the_work_is_not_run(
        self, store: Store, save: Save
    ) -> None:
        runs: list[UnitOfWork] = []
        saved = save(store, state={"a": 1})
        store.close()

        with pytest.raises(StoreClosed, match="closed"):
            store.write(runs.append)
        with pytest.raises(StoreClosed, match="closed"):
            store.read(runs.append)
        with pytest.raises(StoreClosed, match="closed"):
            _ = saved.state

        assert runs == []
        assert issubclass(StoreClosed, StorageUnavailable)

    @pytest.mark.parametrize("way", ["read", "write"])
    def test_close_when_work_is_under_way_then_it_waits_for_it(
        self, store: Store, save: Save, way: str
    ) -> None:
        order: list[str] = []
        closed = threading.Event()

        def close() -> None:
            store.close()
            order.append("closed")
            closed.set()

        def work(uow: UnitOfWork) -> None:
            closer.start()
            closed.wait(A_MOMENT)
            _view(uow)
            order.append("worked")

        save(store)
        closer = threading.Thread(target=close)
        store.read(work) if way == "read" else store.write(work)
        closer.join()

        assert order == ["worked", "closed"]

    def test_target_when_read_then_it_is_text(self, store: Store) -> None:
        assert isinstance(store.target, str)
        assert store.target


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return sqlite_store


class TestJsonFileStore(StoreContract):
    @pytest.fixture
    def store(self, json_store: Store) -> Store:
        return json_store


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self, memory_store: Store) -> Store:
        return memory_store


def _write_everything(uow: UnitOfWork, put: Save) -> None:
    put(uow, "wf", "workflow_start", state={"a": 1})
    uow.leases.put(LEASE)
    uow.attempts.put(ATTEMPT)
    uow.events.append(EVENT)


def _everything(store: Store) -> dict[str, Any]:
    def work(uow: UnitOfWork) -> dict[str, Any]:
        return {
            "checkpoints": _view(uow),
            "standing": uow.checkpoints.standing("wf") is not None,
            "lease": uow.leases.get("wf"),
            "attempts": uow.attempts.all("wf"),
            "events": [each.kind.value for each in uow.events.read()],
        }

    return store.read(work)


def _put_id(put: Save, workflow: str, uow: UnitOfWork) -> str:
    return str(put(uow, workflow).id)


def _state(checkpoint_id: CheckpointId, uow: UnitOfWork) -> bytes | None:
    return uow.checkpoints.payload(checkpoint_id).state


def _view(uow: UnitOfWork) -> list[str]:
    return [str(each.id) for each in uow.checkpoints.find(CheckpointFilter())]


def _ids(store: Store) -> list[str]:
    return store.read(_view)
