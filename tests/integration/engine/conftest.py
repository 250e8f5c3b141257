"""Stores and engines for the tests of the Python interface."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import holdfast
import pytest
from holdfast.infrastructure.clock import ManualClock

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]

AT_ONCE = holdfast.Settings(back_off_base=0.0)
"""What failed is due again at once: back-off has tests of its own."""


class StoppedClock(ManualClock):
    """The clock of processes that were stopped: nobody who waits for it wakes up to renew."""

    def __init__(self) -> None:
        super().__init__()
        self._asleep: set[int] = set()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        with self._turned:
            self._asleep.add(threading.get_ident())
            self._turned.notify_all()
        return event.wait()

    def advance(self, by: timedelta | float) -> None:
        with self._turned:
            for _ in range(2000):
                if self._asleep.issuperset(_keepers()):
                    break
                self._turned.wait(0.005)
            else:
                raise AssertionError("somebody keeps leases, and not by this clock")
        super().advance(by)


def _keepers() -> set[int | None]:
    """Return the threads that keep leases, those of engines just closed included."""
    return {each.ident for each in threading.enumerate() if each.name == "holdfast-leases"}


class NapClock(ManualClock):
    """Lets time pass only while the keeper of leases sleeps, and until it sleeps again.

    So it has seen each moment that was passed, and done then what there was to do.
    """

    def __init__(self) -> None:
        super().__init__()
        self._asleep_at = -1

    def wait(self, event: threading.Event, seconds: float) -> bool:
        with self._turned:
            self._asleep_at = self._uptime_ns
            self._turned.notify_all()
            return super().wait(event, seconds)

    def advance(self, by: timedelta | float) -> None:
        self._until_asleep()
        super().advance(by)
        self._until_asleep()

    def _until_asleep(self) -> None:
        with self._turned:
            assert self._turned.wait_for(lambda: self._asleep_at == self._uptime_ns, 10)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.db"
    holdfast.open(path).close()
    return path


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> Path:
    """Return the path of a store without a checkpoint; copied, for making one takes longer."""
    return Path(shutil.copy(empty_store, tmp_path / "store.db"))


@pytest.fixture(params=["sqlite", "json", "memory"])
def target(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return "memory:"
    path: Path = request.getfixturevalue("store" if request.param == "sqlite" else "json_folder")
    return str(path) if request.param == "sqlite" else f"json:{path}"


@pytest.fixture(params=["sqlite", "json"])
def disk_target(request: pytest.FixtureRequest) -> str:
    """Return the target of a store that several engines, and processes, may open."""
    path: Path = request.getfixturevalue("store" if request.param == "sqlite" else "json_folder")
    return str(path) if request.param == "sqlite" else f"json:{path}"


@pytest.fixture
def json_folder() -> Iterator[Path]:
    """Return the path of a store of JSON files that is not there yet."""
    # Hundreds of tests, each with some hundred syncs: in memory where the system has room there.
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(dir=base) as folder:
        yield Path(folder) / "store"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def stopped_clock() -> ManualClock:
    return StoppedClock()


@pytest.fixture
def nap_clock() -> ManualClock:
    return NapClock()


@pytest.fixture
def open_any(target: str) -> Iterator[OpenEngine]:
    """Return what opens an engine on the target, in memory too, and closes it after the test."""
    yield from _opener(target)


@pytest.fixture
def open_engine(disk_target: str) -> Iterator[OpenEngine]:
    """Return what opens engines on one store that outlives them, and closes them after the test."""
    yield from _opener(disk_target)


@pytest.fixture
def open_sqlite(store: Path) -> Iterator[OpenEngine]:
    """Return what opens engines on the one SQLite file `store`, for tests that look behind it."""
    yield from _opener(store)


@pytest.fixture
def engine(open_any: OpenEngine) -> holdfast.Engine:
    return open_any()


def _opener(target: str | Path) -> Iterator[OpenEngine]:
    opened: list[holdfast.Engine] = []

    def open_one(**options: Any) -> holdfast.Engine:
        opened.append(holdfast.open(target, **{"settings": AT_ONCE, **options}))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()
