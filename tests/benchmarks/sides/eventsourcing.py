"""The eventsourcing library on SQLite: an aggregate, got back from its events."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from ..interleave import Absent, Side
from ..stopwatch import seconds_of
from ..workload import patches
from .peers import lacking, module


def rebuilding(path: Path, depth: int) -> Side | Absent:
    """Return what gets an aggregate of *depth* events of 2 KB back, at the library's defaults."""
    if why := lacking("eventsourcing"):
        return why
    domain, application = module("eventsourcing.domain"), module("eventsourcing.application")
    aggregate_class = _history_class(domain)
    environment = {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(path),
    }
    app = application.Application(env=environment)
    history = aggregate_class()
    for patch in islice(patches(2_000), depth - 1):
        history.change(patch)
    app.save(history)

    def get() -> None:
        found: Any = app.repository.get(history.id)
        assert found.version == depth

    return lambda: seconds_of(get)


def _history_class(domain: Any) -> Any:
    """Return an aggregate whose events are patches. Made here: its base may not be installed."""

    class Changed(domain.Aggregate.Event):  # type: ignore[misc]
        patch: dict[str, Any]

        def apply(self, aggregate: Any) -> None:
            aggregate.state |= self.patch

    class History(domain.Aggregate):  # type: ignore[misc]
        def __init__(self) -> None:
            self.state: dict[str, Any] = {}

        def change(self, patch: dict[str, Any]) -> None:
            self.trigger_event(Changed, patch=patch)

    return History
