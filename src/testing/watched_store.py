"""A store around another one, whose every commit of a checkpoint is a moment to be killed at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast

from ..domain.checkpoint import Checkpoint
from ..domain.checkpoint_type import CheckpointType
from ..domain.payload import JsonText, Payload
from ..domain.ports import Store, UnitOfWork, Written

T = TypeVar("T")


@dataclass(slots=True)
class Commit:
    """What one transaction is about to make durable.

    Attributes:
        number: 1 for the first of this run; 0 as long as it has none.
        wrote: what it writes, for people: ``"stage_complete of nightly/load"``.
        result: the workflow's, where this completes it.
    """

    number: int = 0
    wrote: list[str] = field(default_factory=list)
    result: JsonText | None = None


class Watch(Protocol):
    """Is told of each commit; may end the process in it, or raise."""

    def before(self, commit: Commit) -> None:
        """Hear that everything is written, and nothing of it is durable yet."""

    def after(self, commit: Commit) -> None:
        """Hear that it is durable, before whoever asked for it is told."""


class WatchedStore:
    """A store around another one; only transactions that write checkpoints are told of.

    So a renewed lease is none of them: when that happens is the clock's business.
    """

    def __init__(self, store: Store, watch: Watch) -> None:
        self._store = store
        self._watch = watch
        self._lock = threading.Lock()
        self._last = 0

    def write(self, work: Callable[[UnitOfWork], T], *, timeout: float | None = None) -> T:
        """Run *work* as one transaction and return what it returns."""
        commit = Commit()
        result = self._store.write(self._watched(work, commit), timeout=timeout)
        self._tell(commit)
        return result

    def write_each(
        self, works: Sequence[Callable[[UnitOfWork], T]], *, timeout: float | None = None
    ) -> list[Written[T]]:
        """Run each as a transaction of its own; return what became of each."""
        commits = [Commit() for _ in works]
        watched = [self._watched(*each) for each in zip(works, commits, strict=True)]
        written = self._store.write_each(watched, timeout=timeout)
        for each, commit in zip(written, commits, strict=True):
            if each.error is None:
                self._tell(commit)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _tell(self, commit: Commit) -> None:
        if commit.number:
            self._watch.after(commit)

    def _watched(
        self, work: Callable[[UnitOfWork], T], commit: Commit
    ) -> Callable[[UnitOfWork], T]:
        def run(uow: UnitOfWork) -> T:
            noting = _NotingUnit(uow, commit)
            result = work(cast("UnitOfWork", noting))
            commit.wrote = noting.checkpoints.wrote  # anew: it may be run again
            if commit.wrote:
                with self._lock:
                    if not commit.number:
                        self._last += 1
                        commit.number = self._last
                self._watch.before(commit)
            return result

        return run


class _NotingUnit:
    def __init__(self, uow: UnitOfWork, commit: Commit) -> None:
        self._uow = uow
        self.checkpoints = _NotingCheckpoints(uow, commit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._uow, name)


class _NotingCheckpoints:
    def __init__(self, uow: UnitOfWork, commit: Commit) -> None:
        self._checkpoints = uow.checkpoints
        self._commit = commit
        self._added: list[str] = []
        self._changed: list[str] = []

    @property
    def wrote(self) -> list[str]:
        """What was added; where nothing was, what was changed."""
        return self._added or self._changed

    def add(self, checkpoint: Checkpoint, payload: Payload) -> None:
        self._checkpoints.add(checkpoint, payload)
        named = f" {checkpoint.name!r}" if checkpoint.name else ""
        self._added.append(f"{checkpoint.type}{named} of {checkpoint.scope}")
        if checkpoint.type is CheckpointType.WORKFLOW_COMPLETE:
            self._commit.result = payload.output or JsonText(b"null")

    def update(self, checkpoint: Checkpoint) -> None:
        self._checkpoints.update(checkpoint)
        self._changed.append(f"{checkpoint.scope} becomes {checkpoint.status}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._checkpoints, name)
