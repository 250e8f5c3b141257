"""Looking after a store in a folder."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...domain.errors import Damaged
from ...domain.json_value import JsonObject
from ...domain.ports import StoreStats
from ...domain.verification import QUARANTINED, Finding, VerifyReport
from ..export_file.placing import made_beside
from . import layout
from .index import IndexLost
from .index_rebuild import index_of
from .journal import TEMPORARY, TransactionDamaged
from .pointer import pointer_of
from .quarantine import Quarantine
from .repair import Repair
from .traces import EVENTS, all_event_paths, attempt_paths
from .unfinished import workflow_ids
from .verification import Verification
from .view import View

if TYPE_CHECKING:
    from .store import JsonFileStore

# What is copied; the lock, the journal and the quarantine are of this folder alone.
_COPIED = (layout.WORKFLOWS, layout.LEASES, layout.INDEX)


def verify(store: JsonFileStore, deadline: float, *, repair: bool, at: datetime) -> VerifyReport:
    """Look everything through, and repair what is found if that is wanted."""
    if not repair:
        return store.patiently(lambda: _look(store, deadline), deadline)
    order = _RepairOrder(store, at)
    return store.patiently(lambda: order.run(deadline), deadline)


def backup(store: JsonFileStore, path: Path, deadline: float) -> None:
    """Copy the store under its lock; whole under its name, or not there."""
    store.patiently(lambda: _copy_all(store, path.absolute(), deadline), deadline)


def stats(store: JsonFileStore, deadline: float) -> StoreStats:
    """Return how much the store holds; files that are damaged are not counted."""
    return store.patiently(lambda: _count(store, deadline), deadline)


def in_force(store: JsonFileStore, deadline: float) -> JsonObject:
    """Return what is in force, as found."""
    return store.patiently(lambda: _condition(store, deadline), deadline)


def _look(store: JsonFileStore, deadline: float) -> VerifyReport:
    # Only the index may be made anew meanwhile, as by whoever reads.
    with store.locked(deadline):
        damaged, has_index = _prepared(store)
        verification = Verification(lambda: store.view_over(None), with_index=has_index)
        found = verification.run()
        findings = (*damaged, *(each.finding for each in found))
        return VerifyReport(store.target, findings, verification.checked)


class _RepairOrder:
    """A repair that may have to be begun again, when the index was lost or the disk gave trouble.

    Nothing is told twice: what was taken out of the way for good is kept in mind.
    """

    def __init__(self, store: JsonFileStore, at: datetime) -> None:
        self._store = store
        self._at = at
        self._quarantine = Quarantine(store.folder, store.files, at)
        self._done: list[Finding] = []

    def run(self, deadline: float) -> VerifyReport:
        """Repair everything as one act; return what was found and done."""
        store = self._store
        with store.locked(deadline):
            self._clear_journal()
            store.prepare()
            view = store.view_over(None, is_reading=False)
            quarantine = self._quarantine
            repair = Repair(view, store.view_over, quarantine, self._at)
            for act in self._done:
                repair.note(act)
            report = repair.run(store.target)
            if repair.has_acted:
                # As when the index is made anew: nothing older may come back over it.
                store.journal.forget_for_good()
                store.commit(view, index_of(store.view_over(view)))
            return report

    def _clear_journal(self) -> None:
        """Take a damaged transaction out: as long as it is there, nothing can be committed."""
        store = self._store
        try:
            store.journal.carry_out()
        except TransactionDamaged as error:
            content = store.files.read(store.folder / layout.JOURNAL) or b""
            finding = _of_journal(error)
            self._quarantine.put(layout.JOURNAL, content, str(finding))
            self._quarantine.sync()
            store.files.remove(store.folder / layout.JOURNAL)
            store.journal.forget_for_good()
            self._done.append(replace(finding, repair=QUARANTINED))


def _copy_all(store: JsonFileStore, path: Path, deadline: float) -> None:
    with store.locked(deadline):
        store.prepare()
        with made_beside(path) as copy:
            copy.mkdir(mode=0o700)
            view = store.view_over(None)
            for file in _files_of(view):
                _copy(store, file, copy / file)
            # Last: without it the folder is no store.
            _copy(store, layout.MARKER, copy / layout.MARKER)
            for folder, _, _ in os.walk(copy):
                store.files.sync_folder(Path(folder))


def _count(store: JsonFileStore, deadline: float) -> StoreStats:
    statuses: Counter[str] = Counter()
    checkpoints = attempts = events = 0
    with store.locked(deadline):
        store.prepare()
        view = store.view_over(None)
        for workflow_id in workflow_ids(view):
            with suppress(Damaged):
                pointer = pointer_of(view, workflow_id)
                if pointer is not None:
                    statuses[pointer.status.value if pointer.status else "record"] += 1
                    checkpoints += pointer.checkpoints
            attempts += len(attempt_paths(view, workflow_id))
        # Also of those whose checkpoints are gone.
        for path in all_event_paths(view):
            with suppress(Damaged):
                events += len((view.read(path, EVENTS, path) or {}).get("events", []))
        size = sum((store.folder / each).stat().st_size for each in _files_of(view))
    return StoreStats(
        store.target,
        statuses.total(),
        checkpoints,
        events + checkpoints,
        attempts,
        dict(statuses),
        size,
        free=0,
    )


def _condition(store: JsonFileStore, deadline: float) -> JsonObject:
    from .condition import condition_of

    with store.locked(deadline):
        damaged, _ = _prepared(store)
        honours = store.lock.is_honoured()
        return condition_of(store.folder, honours_locks=honours, is_stuck=bool(damaged))


def _prepared(store: JsonFileStore) -> tuple[list[Finding], bool]:
    """Let the files be what the last transaction left; return what stands in the way of that."""
    try:
        store.prepare()
    except TransactionDamaged as error:
        try:
            store.index.refresh()
        except IndexLost:
            return [_of_journal(error)], False
        return [_of_journal(error)], True
    return [], True


def _of_journal(error: TransactionDamaged) -> Finding:
    advice = "`holdfast doctor --repair` goes on without it"
    return Finding("record", layout.JOURNAL, error.problem, advice=advice)


def _files_of(view: View) -> Iterator[str]:
    for folder in _COPIED:
        for file in view.files_below(folder):
            if not file.endswith(TEMPORARY):
                yield file


def _copy(store: JsonFileStore, file: str, to: Path) -> None:
    content = store.files.read(store.folder / file)
    if content is not None:
        store.files.make_folders(to.parent)
        store.files.write(to, content)
