"""What a plain model of a store keeps: every checkpoint ever written, and what chains add up to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

Key = tuple[str, ...]
"""A scope within its workflow: nothing, a stage, or a stage and an agent."""

OPENING = ("workflow_start", "stage_start", "agent_start")
CLOSING = ("workflow_complete", "stage_complete", "agent_complete")
IN_FLIGHT = ("active", "recovering")
FINAL = ("completed", "killed")
# The table of the design, written down once more.
MAY_BECOME = {
    "active": ("completed", "failed", "recovering", "waiting", "killed"),
    "failed": ("recovering", "killed"),
    "recovering": ("completed", "failed", "waiting", "killed", "recovering"),
    "waiting": ("recovering", "killed"),
    "completed": (),
    "killed": (),
}


class Refusal(Exception):
    """What a call is expected to raise, by the name of its class."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass
class Row:
    """One checkpoint. ``state`` and ``patch`` are what it changed, not what it led to."""

    number: int
    sequence: int
    key: Key
    type: str
    status: str
    parent: int | None
    at: datetime
    updated: datetime
    epoch: int
    name: str | None = None
    kind: str | None = None
    handler: str | None = None
    input: Any = None
    output: Any = None
    state: Any = None
    patch: Any = None
    retries: int = 0
    max_retries: int = 3
    due: datetime | None = None
    answered: bool = False
    written_epoch: int = 0
    gone: bool = False

    @property
    def opens(self) -> bool:
        return self.type in OPENING

    @property
    def closes(self) -> bool:
        return self.type in CLOSING

    @property
    def achieves(self) -> tuple[Any, ...] | None:
        if self.closes:
            return (self.type, self.key)
        named = self.type == "progress" and self.name is not None
        return (self.type, self.key, self.name) if named or self.type == "sync_barrier" else None


@dataclass
class Record:
    """What a chain says about one scope."""

    state: Any = field(default_factory=dict)
    handler: str | None = None
    kind: str | None = None
    title: str | None = None
    input: Any = None
    output: Any = None
    opening: int | None = None
    since: datetime | None = None
    is_open: bool = False
    is_finished: bool = False


Sum = dict[Key, Record]


@dataclass
class Try:
    """One attempt."""

    number: int
    epoch: int
    handler: str | None
    begun_after: int
    outcome: str | None = None


@dataclass
class Workflow:
    """All of one workflow, also what was purged."""

    name: str
    rows: dict[int, Row] = field(default_factory=dict)
    opening: int | None = None
    lease: Any = None
    tries: list[Try] = field(default_factory=list)
    was_purged: bool = False

    def copy(self) -> Workflow:
        rows = {sequence: replace(row) for sequence, row in self.rows.items()}
        lease = replace(self.lease) if self.lease else None
        tries = [replace(each) for each in self.tries]
        return replace(self, rows=rows, lease=lease, tries=tries)

    def kept(self) -> list[Row]:
        return [row for row in self.rows.values() if not row.gone]

    @property
    def head(self) -> Row | None:
        kept = self.kept()
        return kept[-1] if kept else None

    @property
    def stands_on(self) -> Row | None:
        return self.rows[self.opening] if self.opening is not None else None

    @property
    def status(self) -> str | None:
        return self.stands_on.status if self.stands_on else None

    def unfinished(self) -> list[Row]:
        return [row for row in self.kept() if row.opens and row.status not in FINAL]

    def open_row(self, key: Key) -> Row | None:
        return next((row for row in self.unfinished() if row.key == key), None)

    def chain(self, sequence: int | None) -> Iterator[Row]:
        """Walk back to the root, purged ancestors included."""
        while sequence is not None:
            yield self.rows[sequence]
            sequence = self.rows[sequence].parent

    def last_of(self, key: Key, head: int) -> Row | None:
        """Return what opened or closed a scope last in a chain, of what is kept."""
        for row in self.chain(head):
            if row.key == key and (row.opens or row.closes) and not row.gone:
                return row
        return None

    def add_up(self, sequence: int) -> Sum:
        """Replay a chain from its root, the slow way."""
        found: Sum = {}
        for row in reversed(list(self.chain(sequence))):
            record = found.setdefault(row.key, Record())
            record.handler = row.handler or record.handler
            if row.state is not None:
                record.state = row.state
            if row.patch is not None:
                record.state = merged(record.state, row.patch)
            if row.opens:
                record.opening, record.since = row.sequence, row.at
                record.title, record.kind, record.input = row.name, row.kind, row.input
                record.output, record.is_open, record.is_finished = None, True, False
            elif row.closes:
                record.output, record.is_open, record.is_finished = row.output, False, True
                for key, other in found.items():
                    if encloses(row.key, key):
                        other.is_open = False
        return found


def encloses(outer: Key, inner: Key) -> bool:
    """Whether *inner* is strictly inside *outer*."""
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def merged(target: Any, patch: Any) -> Any:
    """Merge as RFC 7396 says."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def typed(value: Any) -> Any:
    """Return something that is equal only for values that are equal in value and in type."""
    if isinstance(value, dict):
        return {name: typed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [typed(each) for each in value]
    return (type(value).__name__, repr(value))
