"""Everything that the reading calls of an engine tell, so that two stores can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import holdfast

_NAMES = ("done", "failed", "flight", "record")
IDS = (
    *(f"flight@{n}" for n in range(1, 102)),
    *(f"record@{n}" for n in range(1, 6)),
    *("done@1", "done/read@2", "failed@1", "failed/read@2"),
)
# Of the others the get says enough; each rebuild of a context takes its time.
HELD = ("done@1", "done/read@2", "failed/read@2", "record@2")
CONTEXTS = (*(f"flight@{n}" for n in range(1, 102, 10)), *(f"record@{n}" for n in range(1, 6)))


def answers(engine: holdfast.Engine) -> dict[str, Any]:
    """Return what every reading call tells, by its name; an error where it says that it cannot."""
    found: dict[str, Any] = {}

    def ask(name: str, call: Callable[[], Any]) -> None:
        try:
            found[name] = call()
        except holdfast.HoldfastError as error:
            found[name] = error

    for name in IDS:
        ask(f"get {name}", lambda name=name: _plain(engine.get(name)))  # type: ignore[misc]
    for name in HELD:
        ask(f"held {name}", lambda name=name: _held(engine.get(name)))  # type: ignore[misc]
    for name in CONTEXTS:
        ask(f"context {name}", lambda name=name: engine.context(name).to_dict())  # type: ignore[misc]
    for name in _NAMES:
        ask(f"latest {name}", lambda name=name: _plain(engine.latest(name)))  # type: ignore[misc]
        ask(f"head {name}", lambda name=name: engine.context(name).to_dict())  # type: ignore[misc]
        ask(f"attempts {name}", lambda name=name: list(engine.attempts(name)))  # type: ignore[misc]
    lists: dict[str, Callable[[], dict[Any, Any]]] = {
        "listed": lambda: {str(each.id): _plain(each) for each in engine.list(limit=None)},
        "workflow": lambda: {each.workflow_id: each for each in engine.workflows(limit=None)},
        "event": lambda: dict(_events(engine)),
        "stale": lambda: {each.workflow_id: _stale(each) for each in engine.stale(timedelta())},
    }
    for what, call in lists.items():
        ask(what, call)
        if not isinstance(found[what], Exception):
            whole = found.pop(what)
            found |= {f"{what} {key}": value for key, value in whole.items()}
    return found


def _events(engine: holdfast.Engine) -> Iterator[tuple[Any, Any]]:
    """Yield each event, and by itself what it owes to its attempt."""
    for each in engine.events(limit=10_000):
        yield each.number, replace(each, correlation_id=None)
        if each.correlation_id is not None:
            yield f"{each.number} is of", each.correlation_id


def told(found: dict[str, Any]) -> dict[str, Any]:
    """Return the answers that are values, and no errors."""
    return {name: value for name, value in found.items() if not isinstance(value, Exception)}


def _plain(each: Any) -> Any:
    fields = ("type", "status", "created_at", "updated_at", "parent_id", "name", "kind", "epoch")
    more = ("resume_handler", "retry_count", "max_retries", "error", "reason", "metadata")
    return (str(each.id), {name: getattr(each, name) for name in (*fields, *more)})


def _held(each: Any) -> Any:
    return (each.input, each.output)


def _stale(each: Any) -> Any:
    return (each.workflow_id, each.handler, each.because)
