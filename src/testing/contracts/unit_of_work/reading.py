"""Every store reads from one view, and closes when it is done."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import NoReturn

import pytest

from ....domain.errors import HoldfastError, StorageUnavailable, StoreClosed
from ....domain.ports import CheckpointFilter, Store, UnitOfWork
from .material import (
    Save,
    everything,
    ids,
    view,
    write_everything,
)

# So long a test waits for what should not happen, or may not happen.
A_MOMENT = 0.2


class Reading:
    """See `StoreContract`."""

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

        assert ids(store) == ["wf@2", "wf@1"]

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
            views = [view(uow)]
            looked.set()
            # A store may keep writers waiting as long as a view is open: then this runs out.
            written.wait(A_MOMENT)
            views.append(view(uow))
            return views

        save(store, "wf")
        writer = threading.Thread(target=write)
        writer.start()
        views = store.read(work)
        writer.join()

        assert views == [["wf@1"], ["wf@1"]]
        assert store.read(view) == ["new@1", "wf@2", "wf@1"]

    def test_read_when_a_write_is_under_way_then_nothing_of_it_is_seen(
        self, store: Store, put: Save
    ) -> None:
        written = threading.Event()
        seen: list[list[str]] = []

        def read() -> None:
            written.wait()
            seen.append(ids(store))

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
            store.read(lambda uow: write_everything(uow, put))

        assert ids(store) == ["before@1"]
        assert everything(store)["lease"] is None
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
            view(uow)
            order.append("worked")

        save(store)
        closer = threading.Thread(target=close)
        store.read(work) if way == "read" else store.write(work)
        closer.join()

        assert order == ["worked", "closed"]

    def test_target_when_read_then_it_is_text(self, store: Store) -> None:
        assert isinstance(store.target, str)
        assert store.target
