"""Moves the whole of a store: into a file, out of one, or into another store."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from ..application.transfer.document import Document, Kind
from ..application.transfer.from_documents import is_empty, write_document
from ..application.transfer.to_documents import documents
from ..domain.errors import (
    ExportDamaged,
    NotFound,
    StateNotSerializable,
    StateTooLarge,
    StorageUnavailable,
    StoreNotEmpty,
)
from ..domain.json_value import JsonObject
from ..domain.ports import Codec, Store, UnitOfWork
from .bootstrap import (
    names_store,
    new_store,
    open_source,
    reading_export,
    unlimited_codec,
    writing_export,
)

T = TypeVar("T")

Progress: TypeAlias = Callable[[int, int], object]
"""Told now and then how many documents are through, and how many there are about; 0 if unknown."""

STANDARD = "-"
_PAUSE = 0.1
_KINDS = {each.value: each for each in Kind}
# Of one transaction, where a store is made anew: its sync should cost less than its rows, and a
# store of JSON files holds some ten times as much until it is carried out.
_MOST_DOCUMENTS = 1_000
_MOST_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Transferred:
    """What an export or an import has moved.

    Attributes:
        place: where it went, or came from.
        workflows: how many names sequences were given out to, those that are purged included.
        events: besides the checkpoints, which are events of their own.
        sha256: the digest in the last line of an export's file; equal stores have equal ones.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine, holdfast.open("memory:") as other:
    ...     saved = engine.checkpoint("nightly")
    ...     moved = other.import_from(engine)
    >>> moved.workflows, moved.checkpoints
    (1, 1)
    """

    place: str
    checkpoints: int
    events: int
    workflows: int
    leases: int
    attempts: int
    sha256: str | None = None


def export_to_file(store: Store, target: str, progress: Progress | None) -> Transferred:
    """Write what *store* holds to a new file, or, for ``-``, to standard output."""
    passage, codec = _Passage(), unlimited_codec()

    def write(uow: UnitOfWork) -> str:
        if passage.done and target == STANDARD:
            raise StorageUnavailable(
                "the store gave trouble when some of it was printed already; export it again"
            )
        passage.begin(uow)
        with writing_export(target) as lines:
            for each in passage.through(documents(uow, codec)):
                lines.put(each.kind, each.data)
            return lines.finish()

    digest = _watched(lambda: store.read(write), passage, progress)
    return passage.report(target, digest)


def export_to_new_store(store: Store, target: str, progress: Progress | None) -> Transferred:
    """Write what *store* holds to a store that is not there yet."""
    passage, codec = _Passage(), unlimited_codec()

    def write(uow: UnitOfWork) -> None:
        passage.begin(uow)
        with new_store(target) as made:
            _fill(made, passage.through(documents(uow, codec)), store.target, codec)

    _watched(lambda: store.read(write), passage, progress)
    return passage.report(target)


def import_from_store(store: Store, source: Store, progress: Progress | None) -> Transferred:
    """Write what *source* holds to *store*, which holds nothing yet, as one transaction."""
    passage, codec = _Passage(), unlimited_codec()

    def write(uow: UnitOfWork) -> None:
        _require_empty(uow, store)
        source.read(lambda other: read(other, uow))

    def read(other: UnitOfWork, uow: UnitOfWork) -> None:
        passage.begin(other)
        _write_all(passage.through(documents(other, codec)), uow, source.target, codec)

    _watched(lambda: store.write(write), passage, progress)
    return passage.report(source.target)


def import_from_file(store: Store, source: str, progress: Progress | None) -> Transferred:
    """Write what a file holds to *store*, which holds nothing yet, as one transaction."""
    passage, codec = _Passage(), unlimited_codec()
    with reading_export(source) as read:

        def write(uow: UnitOfWork) -> None:
            _require_empty(uow, store)
            passage.begin()
            _write_all(passage.through(_read(read, source)), uow, source, codec)

        _watched(lambda: store.write(write), passage, progress)
    return passage.report(source)


def import_into_new_store(target: str, source: str, progress: Progress | None) -> Transferred:
    """Write what a file, or a store, holds to a store that is not there yet."""
    if names_store(source):
        with open_source(source) as other:
            return replace(export_to_new_store(other, target, progress), place=source)
    passage, codec = _Passage(), unlimited_codec()

    def write() -> None:
        with reading_export(source) as read, new_store(target) as made:
            _fill(made, passage.through(_read(read, source)), source, codec)

    _watched(write, passage, progress)
    return passage.report(source)


class _Passage:
    """Counts the documents that come through, and stops them when somebody says so."""

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self.done = 0
        self.total = 0
        self.is_stopped = threading.Event()

    def begin(self, uow: UnitOfWork | None = None) -> None:
        """Begin from the first document: a transaction may be run again."""
        self.counts.clear()
        self.done = 0
        self.total = uow.transfer.last_number() if uow is not None else 0

    def through(self, found: Iterable[Document]) -> Iterator[Document]:
        for each in found:
            if self.is_stopped.is_set():
                raise _Stopped
            self.counts[each.kind] += 1
            self.done += 1
            yield each

    def report(self, place: str, digest: str | None = None) -> Transferred:
        return Transferred(
            place,
            checkpoints=self.counts[Kind.CHECKPOINT],
            events=self.counts[Kind.EVENT],
            workflows=self.counts[Kind.WORKFLOW],
            leases=self.counts[Kind.LEASE],
            attempts=self.counts[Kind.ATTEMPT],
            sha256=digest,
        )


class _Stopped(Exception):
    """Whoever waits for the passage does not any more."""


def _watched(work: Callable[[], T], passage: _Passage, progress: Progress | None) -> T:
    """Run *work*, and meanwhile tell how far it is.

    In a thread of its own: what is told is the caller's code, and no lock is held while that runs.
    """
    if progress is None:
        return work()
    with ThreadPoolExecutor(1, "holdfast-transfer") as pool:
        future = pool.submit(work)
        try:
            while wait([future], _PAUSE).not_done:
                progress(passage.done, max(passage.done, passage.total))
        except BaseException:
            passage.is_stopped.set()
            raise
        result = future.result()
    progress(passage.done, passage.done)
    return result


def _read(
    read: Callable[[], Iterable[tuple[str, JsonObject, int, int]]], source: str
) -> Iterator[Document]:
    for kind, data, line, size in read():
        if kind not in _KINDS:
            raise ExportDamaged(source, line, f"there is no kind {kind!r}")
        yield Document(_KINDS[kind], data, size, line)


def _fill(store: Store, found: Iterable[Document], source: str, codec: Codec) -> None:
    """Write documents to a store that nobody else can see, some at a time."""
    for batch in _batches(found):
        store.write(lambda uow, batch=batch: _write_all(batch, uow, source, codec))  # type: ignore[misc]


def _batches(found: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    size = 0
    for each in found:
        batch.append(each)
        size += each.size
        if len(batch) >= _MOST_DOCUMENTS or size >= _MOST_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _write_all(found: Iterable[Document], uow: UnitOfWork, source: str, codec: Codec) -> None:
    for each in found:
        try:
            write_document(each, uow, codec)
        except (ValueError, NotFound, StateNotSerializable, StateTooLarge) as error:
            raise ExportDamaged(source, each.line, str(error)) from error


def _require_empty(uow: UnitOfWork, store: Store) -> None:
    if not is_empty(uow):
        raise StoreNotEmpty(store.target)
