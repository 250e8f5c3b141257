"""Holds the index, and the lists beside it, against the files that they speak of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import CheckpointCorrupted, Damaged, InvalidId, SchemaTooNew
from ...domain.verification import Finding
from . import failures, layout, unfinished
from .checkpoint_file import find_path
from .found import Found
from .index import Entry, IndexLost
from .pointer import pointer_of
from .purge_memory import memory_of
from .trouble import FileTrouble
from .unfinished import names_in_bucket
from .view import View
from .workflow_check import REDUNDANT

_INDEX = "the index"


class IndexCheck:
    """Is told what the files say, and compares that with what the index says.

    Only sums of digests are kept: memory does not grow with the store.
    """

    def __init__(self, new_view: Callable[[], View]) -> None:
        self._new_view = new_view
        self._view = new_view()
        self._in_files = 0
        self._in_index = 0
        self._damaged: set[str] = set()
        self._missing: dict[str, list[CheckpointId]] = {}

    def add(self, number: int, text: str) -> None:
        """Take note of a checkpoint or an event that is intact."""
        self._in_files += _digest(f"{number} {text}")

    def skip(self, subject: str) -> None:
        """Take note of a damaged checkpoint: of its number nothing is known."""
        self._damaged.add(subject)

    def run(self) -> Iterator[Found]:
        """Iterate over what is wrong with the index, and what it knows of that is gone."""
        before = 0
        problem = None
        try:
            for entry in self._view.entries_after(0):
                if entry.number <= before:
                    problem = f"number {entry.number} does not come after {before}"
                before = entry.number
                self._look(entry)
        except (IndexLost, InvalidId, ValueError) as lost:
            problem = str(lost)
        yield from self._missing_files()
        if problem is None and not self._damaged and self._in_files != self._in_index:
            problem = "it does not say what the files say"
        if problem is not None:
            yield Found(Finding("index", _INDEX, problem, advice=REDUNDANT))

    def lists(self) -> Iterator[Found]:
        """Iterate over what is wrong with the lists of what is unfinished, and of failures."""
        for file in self._view.names(layout.UNFINISHED):
            bucket = file.removesuffix(".gz").removesuffix(".json")
            path = layout.unfinished(bucket)
            if self._view.variants(path):
                yield from self._list(bucket, path)
        path = layout.FAILURES
        if self._view.exists(path) and self._view.read_derived(path, failures.KIND) is None:
            yield self._found(path, "it is not what was written")

    def _look(self, entry: Entry) -> None:
        if entry.kind == "event":
            path = layout.event_file(entry.workflow_id, entry.file)
            if self._view.exists(path):
                self._in_index += _digest(str(entry))
            return
        checkpoint_id = entry.checkpoint_id
        if find_path(self._view, checkpoint_id) is not None:
            self._in_index += _digest(str(entry))
        elif not self._went(checkpoint_id):
            self._missing.setdefault(checkpoint_id.workflow_id, []).append(checkpoint_id)

    def _missing_files(self) -> Iterator[Found]:
        for workflow_id, gone in self._missing.items():
            more = f", as are those of {len(gone) - 1} others" if len(gone) > 1 else ""
            finding = Finding(
                "checkpoint",
                str(gone[0]),
                f"its file is missing, and no purge took it{more}",
                advice="restore it from a copy; `holdfast doctor --repair` goes on without it",
                workflow_id=workflow_id,
            )
            yield Found(finding, sequence=max(each.sequence for each in gone))

    def _went(self, checkpoint_id: CheckpointId) -> bool:
        try:
            memory = memory_of(self._view, checkpoint_id.workflow_id)
        except (CheckpointCorrupted, SchemaTooNew):
            return True  # that is a finding of its own
        return memory.at(checkpoint_id.sequence) is not None

    def _list(self, bucket: str, path: str) -> Iterator[Found]:
        found = self._view.read_derived(path, unfinished.KIND)
        if found is None or not isinstance(found.get("workflows"), list):
            yield self._found(path, "it is not what was written")
            return
        try:
            wanted = set(self._unfinished(bucket))
        except (Damaged, SchemaTooNew, FileTrouble):
            return  # of those there is a finding
        if set(found["workflows"]) != wanted:
            yield self._found(path, "it does not say what the checkpoints say")

    def _unfinished(self, bucket: str) -> Iterator[str]:
        for workflow_id in names_in_bucket(self._view, bucket):
            pointer = pointer_of(self._view, workflow_id)
            if pointer is not None and pointer.is_unfinished:
                yield workflow_id

    def _found(self, path: str, problem: str) -> Found:
        finding = Finding("index", path, problem, advice=REDUNDANT)
        return Found(finding, tuple(self._view.variants(path)))


def _digest(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:16], "big")
