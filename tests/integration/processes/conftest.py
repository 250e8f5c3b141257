"""Workflows in processes of their own, and what is left of them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import holdfast
import pytest
from holdfast.infrastructure.clock import ManualClock

PROGRAMS = Path(__file__).parent / "programs"
PATIENCE = 30.0


class Started:
    """A call in a thread of its own, and what came of it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call: Callable[[], Any]) -> None:
        try:
            self.value = call()
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.error = error

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._thread.is_alive()

    def ended(self) -> Started:
        """Wait for its end."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "it hangs"
        return self


class Crew:
    """The handlers of `programs/crew.py`, an engine with a clock turned by hand, and a folder."""

    def __init__(self, folder: Path, registry: holdfast.Registry) -> None:
        self.folder = folder
        self.store = folder / "store.db"
        self.clock = ManualClock()
        self.engine = holdfast.open(
            self.store,
            registry=registry,
            clock=self.clock,
            settings={"grace": 0.3, "back_off_base": 0},
        )

    def call(self, name: str, **more: Any) -> Started:
        """Start a workflow, in a thread."""
        given = {"folder": str(self.folder), **more}
        return Started(lambda: self.engine.start(name, workflow_id="w", input=given))

    @property
    def pids(self) -> list[int]:
        """The processes that the handler consisted of."""
        file = self.folder / "pids"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def until(self, name: str) -> None:
        """Wait until the handler makes a file."""
        self.wait((self.folder / name).exists, name)

    def wait(self, is_so: Callable[[], object], what: str) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            time.sleep(0.01)

    def touch(self, name: str) -> None:
        """Make a file that the handler waits for."""
        (self.folder / name).touch()

    @property
    def left(self) -> list[int]:
        """Those of its processes that still run."""
        return [pid for pid in self.pids if is_running(pid)]

    @property
    def attempt(self) -> holdfast.Attempt:
        """The newest attempt."""
        return self.engine.attempts("w")[-1]


def is_running(pid: int) -> bool:
    """Whether a process is in the process table, and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


MakeCrew: TypeAlias = Callable[[], Crew]


@pytest.fixture
def crew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    monkeypatch.syspath_prepend(str(PROGRAMS))
    monkeypatch.delitem(sys.modules, "crew", raising=False)
    import crew as program  # type: ignore[import-not-found, unused-ignore]

    made = Crew(tmp_path, program.app)
    yield made
    made.engine.close()
    sys.modules.pop("crew", None)
