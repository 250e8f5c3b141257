"""What a writer gets when another process holds the lock: patience, then a clear error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.errors import StorageUnavailable, StoreBusy
from holdfast.domain.ports import Store
from holdfast.infrastructure.sqlite.store import SqliteStore

Save = Callable[..., Checkpoint]
Holder = Callable[[], AbstractContextManager[Any]]
IdsIn = Callable[[Store], list[str]]

# So long a test waits for what should not happen; nothing fails because it is short.
A_MOMENT = 0.3
# So long it waits for what must happen; it fails by that.
LONG = 20.0


def test_write_when_another_process_keeps_the_lock_then_busy_after_its_time(
    store: SqliteStore, path: Path, lock_holder: Holder
) -> None:
    runs: list[Any] = []
    with lock_holder():
        begin = time.monotonic()
        with pytest.raises(StoreBusy) as caught:
            store.write(runs.append, timeout=0.3)
        waited = time.monotonic() - begin

    assert 0.3 <= waited < LONG
    assert runs == []
    message = str(caught.value)
    assert str(path) in message
    assert "locked by another process" in message
    assert "stopped inside a transaction" in message
    assert caught.value.outcome == "not written"
    assert isinstance(caught.value, StorageUnavailable)


def test_write_when_no_time_is_given_then_the_stores_own_limit_counts(
    path: Path, lock_holder: Holder, open_store: Callable[..., SqliteStore]
) -> None:
    store = open_store(path, write_timeout=0.0)
    with lock_holder(), pytest.raises(StoreBusy):
        store.write(lambda _: None)


def test_write_when_it_was_refused_then_the_next_one_after_the_lock_went_is_done(
    store: SqliteStore, save: Save, lock_holder: Holder, ids_in: IdsIn
) -> None:
    with lock_holder(), pytest.raises(StoreBusy):
        store.write(lambda _: None, timeout=0.0)

    save(store)

    assert ids_in(store) == ["wf@1"]


def test_write_when_the_lock_goes_in_time_then_it_is_done(
    store: SqliteStore, save: Save, lock_holder: Holder
) -> None:
    with lock_holder() as holder:
        writer = _Writer(lambda: save(store))
        assert not writer.done.wait(A_MOMENT)

        holder.let_go()

        assert writer.done.wait(LONG)
        assert str(writer.result.id) == "wf@1"


def test_write_when_the_holder_is_killed_then_it_is_done(
    store: SqliteStore, save: Save, lock_holder: Holder
) -> None:
    with lock_holder() as holder:
        writer = _Writer(lambda: save(store))
        assert not writer.done.wait(A_MOMENT)

        holder.kill()

        assert writer.done.wait(LONG)
        assert str(writer.result.id) == "wf@1"


def test_write_when_another_thread_waits_for_the_lock_then_its_own_time_limit_counts(
    store: SqliteStore, save: Save, lock_holder: Holder
) -> None:
    with lock_holder():
        patient = _Writer(lambda: store.write(lambda _: None, timeout=LONG * 2))
        assert not patient.done.wait(A_MOMENT)

        hasty = _Writer(lambda: store.write(lambda _: None, timeout=0.1))

        assert hasty.done.wait(LONG / 4)
        assert isinstance(hasty.error, StoreBusy)
    assert patient.done.wait(LONG)
    assert patient.error is None


def test_read_when_another_process_keeps_the_lock_then_it_is_not_kept_waiting(
    store: SqliteStore, save: Save, lock_holder: Holder, ids_in: IdsIn
) -> None:
    save(store)

    with lock_holder():
        assert ids_in(store) == ["wf@1"]


def test_open_when_another_process_keeps_the_lock_of_a_store_up_to_date_then_it_opens(
    path: Path, lock_holder: Holder, open_store: Callable[..., SqliteStore], ids_in: IdsIn
) -> None:
    with lock_holder():
        assert ids_in(open_store(path, write_timeout=0.0)) == []
        assert ids_in(open_store(path, write_timeout=0.0, upgrade=False)) == []


def test_open_when_another_process_keeps_the_lock_of_an_older_store_then_busy(
    path: Path,
    lock_holder: Holder,
    open_store: Callable[..., SqliteStore],
    make_old_store: Callable[[Path], None],
) -> None:
    path.unlink()
    make_old_store(path)

    with lock_holder(), pytest.raises(StoreBusy, match=r"store\.db"):
        open_store(path, write_timeout=0.0)


class _Writer:
    """Runs something in a thread of its own, and keeps what came of it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.done = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None
        self._work = work
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.error = error
        finally:
            self.done.set()
