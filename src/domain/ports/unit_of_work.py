"""One transaction, and the store that runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .attempt_log import AttemptLog
from .checkpoint_repository import CheckpointRepository
from .event_log import EventLog
from .lease_store import LeaseStore
from .retention_store import RetentionStore
from .sequence_generator import SequenceGenerator
from .store_care import StoreCare
from .transfer import Transfer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """What became of one of several transactions: what it returned, or why it was not written."""

    result: T | None = None
    error: Exception | None = None


class UnitOfWork(Protocol):
    """What one transaction works on; of no use once its work has returned."""

    @property
    def checkpoints(self) -> CheckpointRepository: ...
    @property
    def sequences(self) -> SequenceGenerator: ...
    @property
    def leases(self) -> LeaseStore: ...
    @property
    def attempts(self) -> AttemptLog: ...
    @property
    def events(self) -> EventLog: ...
    @property
    def retention(self) -> RetentionStore: ...
    @property
    def transfer(self) -> Transfer: ...


class Store(StoreCare, Protocol):
    """Runs work as transactions; may be called from any thread.

    A transaction is a function, not a block: so that it can be run again after trouble with a lock
    or a disk, and together with the transactions of others under one sync.
    """

    @property
    def target(self) -> str:
        """What was opened, as text that opens it again."""

    def write(self, work: Callable[[UnitOfWork], T], *, timeout: float | None = None) -> T:
        """Run *work* as one transaction and return what it returns, durably.

        On return everything that it wrote survives what the store's durability promises, and nobody
        was told of it before. If it raises, nothing of it is written. It may be run more than once,
        so it must not have effects but on its unit of work.

        Args:
            timeout: seconds for which trouble is waited out; ``None`` for the store's own limit.

        Raises:
            StorageUnavailable: lock, disk or file trouble outlasted the write timeout.
        """

    def write_each(
        self, works: Sequence[Callable[[UnitOfWork], T]], *, timeout: float | None = None
    ) -> list[Written[T]]:
        """Run each as a transaction of its own, in their order, as `write` does; under few syncs.

        Returns what became of each, when all are durable or refused; raises for none of them.
        """

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run *work* on one unchanging view of the store; it must not write."""

    def give_back(self) -> bool:
        """Give some of the space that is not used any more back to the file system.

        A piece that holds writers up for some milliseconds; return whether there is more. What
        cannot be given back now, because somebody reads, is left for the next time.
        """

    def close(self) -> None:
        """Wait for the work that was accepted, then let go of the store. Twice does no harm."""

    def before_fork(self) -> None:
        """Wait for what is under way, and hold nothing that must not come along through a fork."""

    def after_fork_in_parent(self) -> None:
        """Go on after `before_fork`."""

    def after_fork_in_child(self) -> None:
        """Go on after `before_fork`, as a process of its own."""
