"""Looks at everything that one workflow's folder holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from ...domain.errors import Damaged, NotFound, SchemaTooNew
from ...domain.scope import Scope
from ...domain.verification import NO_WAY_ON, START_ANEW, Finding, FindingKind
from . import layout
from .chain_check import UNREADABLE, ChainCheck
from .chains import Chains
from .checkpoint_file import StoredCheckpoint
from .contexts import load_context, scopes_of
from .documents import digest
from .event_log import events_in
from .found import Found
from .logs import JsonAttemptLog, JsonLeaseStore
from .lost_leases import highest_epoch
from .pointer import Pointer, pointer_made_anew, pointer_of, stored_pointer
from .purge_memory import memory_of
from .traces import attempt_paths, event_paths
from .trouble import FileTrouble
from .view import View

QUARANTINED = "`holdfast doctor --repair` moves it to the quarantine"
REDUNDANT = "`holdfast doctor --repair` makes it anew"


class WorkflowCheck:
    """Looks at the files of one workflow.

    Args:
        new_view: gives a view to read with; it is never committed.

        on_intact: is told of each checkpoint and event that is intact: its number, and what the
            index has to say of it.

    Attributes:
        checked: how many of each kind were looked at.
    """

    def __init__(
        self,
        new_view: Callable[[], View],
        workflow_id: str,
        on_intact: Callable[[int, str], None],
    ) -> None:
        self._new_view = new_view
        self._view = new_view()
        self._name = workflow_id
        self._on_intact = on_intact
        self._known: set[str] = set()
        self._contexts: set[int] = set()
        self.checked: dict[str, int] = {}

    def run(self) -> Iterator[Found]:
        """Iterate over what is damaged, and what nothing needs."""
        chain = ChainCheck(self._new_view, self._name)
        kept = {int(_number(each)): each for each in self._files(layout.contexts(self._name))}
        bad_contexts: list[Found] = []
        for named in self._view.checkpoint_files(self._name):
            self._know(named.path)
            stored = chain.add(named)
            if named.sequence in kept:
                bad_contexts += self._context(kept.pop(named.sequence), named.sequence, stored)
            if stored is not None:
                self._on_intact(stored.number, f"created {stored.checkpoint.id}")
        yield from bad_contexts
        found = list(chain.findings())
        yield from found
        yield from self._contexts_of_nobody(kept, {each.sequence for each in found})
        self.checked["checkpoints"] = chain.count
        yield from self._logs()
        yield from self._memory()
        yield from self._lease()
        yield from self._pointer(is_whole=not found)
        if found:
            yield from self._way_on()
        yield from self._leftovers()

    def _context(
        self, path: str, sequence: int, stored: StoredCheckpoint | None
    ) -> Iterator[Found]:
        self._count("keyframes")
        self._know(path)
        kept = load_context(self._view, self._name, sequence)
        problem = None
        if kept is None:
            problem = "it is not what was written"
        elif stored is not None and kept.link != stored.chained.link:
            problem = "its link is not that of its checkpoint"
        elif stored is not None:
            try:
                replay = Chains(self._new_view()).replay(stored.checkpoint.id, without={sequence})
            except (Damaged, NotFound, SchemaTooNew, FileTrouble):
                replay = None  # there is nothing to hold it against but its digest
            if replay is not None and _digest(scopes_of(replay)) != _digest(scopes_of(kept.replay)):
                problem = "it is not what its chain adds up to"
        if problem is not None:
            subject = f"of {layout.scope_text(self._name)}@{sequence}"
            yield self._found("keyframe", subject, problem, path, REDUNDANT, sequence)

    def _contexts_of_nobody(self, kept: dict[int, str], damaged: set[int]) -> Iterator[Found]:
        """Iterate over the contexts of checkpoints that are gone, unless one stands on it."""
        for sequence, path in kept.items():
            self._know(path)
            if not any(sequence < each for each in damaged):
                yield self._leftover(path, "a context of no checkpoint")

    def _logs(self) -> Iterator[Found]:
        log = JsonAttemptLog(self._view)
        for path in attempt_paths(self._view, self._name):
            self._count("attempts")
            self._know(path)
            subject = f"{_number(path).lstrip('0') or path} of {layout.scope_text(self._name)}"
            yield from self._guarded("attempt", subject, path, partial(log.read, path, self._name))
        for path in event_paths(self._view, layout.events(self._name)):
            self._know(path)
            subject = f"{_number(path).lstrip('0') or path} of {layout.scope_text(self._name)}"
            yield from self._guarded("event", subject, path, partial(self._look_at_events, path))

    def _look_at_events(self, path: str) -> None:
        found = events_in(self._view, path, self._name)
        self._count("events", len(found))
        first = found[0].number
        for each in found:
            self._on_intact(each.number, f"event {first} {layout.scope_text(self._name)}")

    def _memory(self) -> Iterator[Found]:
        path = layout.retention(self._name)
        if self._view.exists(path):
            self._know(path)
            subject = f"what {Scope(self._name)} remembers of purges"
            yield from self._guarded(
                "record", subject, path, lambda: memory_of(self._view, self._name)
            )

    def _lease(self) -> Iterator[Found]:
        subject = layout.scope_text(self._name)
        path = layout.lease(self._name)
        try:
            lease = JsonLeaseStore(self._view).kept(self._name)
            highest = highest_epoch(self._new_view(), self._name)
        except (Damaged, SchemaTooNew, FileTrouble):
            return  # of those there is a finding
        if lease is None and highest:
            yield self._found("lease", subject, "it is missing", path, REDUNDANT)
        elif lease is not None and lease.epoch < highest:
            problem = f"its epoch, {lease.epoch}, is below {highest}, which was given out"
            yield self._found("lease", subject, problem, path, REDUNDANT)

    def _pointer(self, *, is_whole: bool) -> Iterator[Found]:
        path = layout.pointer(self._name)
        self._know(path)
        if not self._view.exists(path):
            return  # whoever reads next makes it anew
        pointer = stored_pointer(self._view, self._name)
        problem = None
        if pointer is None:
            problem = "it is not what was written"
        elif is_whole and not self._agrees(pointer):
            problem = "it does not say what the checkpoints say"
        if problem is not None:
            yield self._found("index", path, problem, path, REDUNDANT)

    def _agrees(self, pointer: Pointer) -> bool:
        try:
            anew = pointer_made_anew(self._new_view(), self._name)
        except (Damaged, SchemaTooNew, FileTrouble):
            return True
        if anew is None:
            return pointer.head is None
        return pointer.agrees_with(anew)

    def _way_on(self) -> Iterator[Found]:
        try:
            pointer = pointer_of(self._new_view(), self._name)
            if pointer is None or pointer.head is None or not pointer.is_unfinished:
                return
            if Chains(self._new_view()).newest_intact(pointer.head) is not None:
                return
        except (Damaged, NotFound, SchemaTooNew, FileTrouble):
            return
        finding = Finding(
            "workflow",
            layout.scope_text(self._name),
            NO_WAY_ON,
            advice=START_ANEW,
            workflow_id=self._name,
        )
        yield Found(finding, is_final=True)

    def _leftovers(self) -> Iterator[Found]:
        for file in self._view.files_below(layout.workflow(self._name)):
            if file not in self._known and not file.rpartition("/")[2].startswith("."):
                yield self._leftover(file, leftover_problem(file))

    def _guarded(
        self, kind: FindingKind, subject: str, path: str, look: Callable[[], object]
    ) -> Iterator[Found]:
        try:
            look()
        except SchemaTooNew as error:
            yield replace(
                self._found(kind, subject, str(error), path, "use that version"), is_final=True
            )
        except Damaged as error:
            problem = getattr(error, "problem", str(error))
            yield self._found(kind, subject, problem, path, QUARANTINED)
        except FileTrouble as trouble:
            problem = f"it cannot be read ({trouble})"
            yield replace(self._found("file", path, problem, path, UNREADABLE), is_final=True)
        except (NotFound, KeyError, TypeError, ValueError, AttributeError) as error:
            problem = f"it is not what can have been written ({error})"
            yield self._found(kind, subject, problem, path, QUARANTINED)

    def _found(
        self,
        kind: FindingKind,
        subject: str,
        problem: str,
        path: str,
        advice: str,
        sequence: int = 0,
    ) -> Found:
        finding = Finding(kind, subject, problem, advice=advice, workflow_id=self._name)
        return Found(finding, tuple(self._view.variants(path)), sequence=sequence)

    def _leftover(self, file: str, problem: str) -> Found:
        finding = Finding("leftover", file, problem, advice=QUARANTINED, workflow_id=self._name)
        return Found(finding, (file,))

    def _files(self, folder: str) -> list[str]:
        """Return the documents in a folder of numbered ones."""
        found = {each.removesuffix(".gz") for each in self._view.files_below(folder)}
        return sorted(each for each in found if _number(each))

    def _know(self, path: str) -> None:
        """Note that a file is where it belongs; of two forms of it the one that is read."""
        self._known.add(self._view.variants(path)[0] if self._view.exists(path) else path)

    def _count(self, what: str, count: int = 1) -> None:
        self.checked[what] = self.checked.get(what, 0) + count


def leftover_problem(file: str) -> str:
    """Return what can be said of a file that nothing needs."""
    if file.endswith(".tmp"):
        return "left over by a process that was killed"
    return "it is not where anything of a store belongs"


def _number(path: str) -> str:
    """Return the digits of a file's name; none for one that is not named by a number."""
    name = path.rpartition("/")[2]
    digits = name[1:].partition(".")[0]
    numbered = name.startswith("@") and name.endswith(".json")
    return digits if numbered and digits.isascii() and digits.isdigit() else ""


def _digest(scopes: list[dict[str, object]]) -> str:
    return digest(sorted(scopes, key=lambda each: str(each["scope"])))
