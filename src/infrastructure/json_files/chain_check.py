"""Holds the checkpoints of one workflow against their digests, and against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...domain.checkpoint_id import CheckpointId
from ...domain.damage_spread import DamageSpread
from ...domain.errors import CheckpointCorrupted, Damaged, NotFound, SchemaTooNew
from ...domain.verification import Finding
from . import layout
from .chains import Chains
from .checkpoint_file import StoredCheckpoint, find_path, id_by_name, read_checkpoint, read_file
from .found import Found
from .trouble import FileTrouble
from .view import View

_IDS_SHOWN = 10
_ADVICE = "`holdfast doctor --repair` moves it to the quarantine"
_STANDS = "`holdfast doctor --repair` lets it stand for itself"
UNREADABLE = "look at the disk and the permissions, or restore it from a copy"


class ChainCheck:
    """Looks at the files of one workflow's checkpoints in their order.

    Args:
        new_view: gives a view to read with; it is never committed.

    Attributes:
        count: how many files it looked at.
    """

    def __init__(self, new_view: Callable[[], View], workflow_id: str) -> None:
        self._new_view = new_view
        self._view = new_view()
        self._workflow_id = workflow_id
        self._problems: dict[str, tuple[layout.NamedFile, str]] = {}
        self._final: list[Found] = []
        self._alone: list[Found] = []
        self._spread: DamageSpread[str, layout.NamedFile] = DamageSpread()
        self._damaged: set[int] = set()
        self._before: StoredCheckpoint | None = None
        self._newest = 0
        self.count = 0

    def add(self, named: layout.NamedFile) -> StoredCheckpoint | None:
        """Look at the next file; return what it holds, unless that is damaged."""
        self.count += 1
        stored, problem = self._look(named)
        if problem is not None:
            self._damaged.add(named.sequence)
            self._spread.begin(named.sequence, named.path)
        elif stored is not None and not self._require_parent(stored, named):
            stored = None
        self._newest = max(self._newest, named.sequence)
        self._before = stored
        return stored

    def findings(self) -> Iterator[Found]:
        """Iterate over what was found, with what cannot be rebuilt because of it."""
        yield from self._final
        for path, (named, problem) in self._problems.items():
            broken = self._spread.because_of(path)
            finding = Finding(
                "checkpoint",
                self._name(named),
                problem,
                tuple(self._name(each) for each in broken[:_IDS_SHOWN]),
                len(broken),
                _ADVICE,
                workflow_id=self._workflow_id,
            )
            files = self._view.variants(path)
            more = [file for each in broken for file in self._view.variants(each.path)]
            yield Found(finding, tuple(files), tuple(more), named.sequence)
        yield from self._alone

    def _look(self, named: layout.NamedFile) -> tuple[StoredCheckpoint | None, str | None]:
        """Return what a file holds, and what is wrong with it; what is wrong is noted."""
        stored: StoredCheckpoint | None = None
        problem: str | None
        try:
            stored = read_file(self._view, named)
            problem = self._problem(stored, named)
        except CheckpointCorrupted as error:
            problem = error.problem
        except SchemaTooNew as error:
            return None, self._note_final(named, "checkpoint", str(error), "use that version")
        except FileTrouble as trouble:
            problem = f"its file cannot be read ({trouble})"
            return None, self._note_final(named, "file", problem, UNREADABLE)
        if problem is not None:
            self._problems[named.path] = (named, problem)
        return (stored if problem is None else None), problem

    def _note_final(self, named: layout.NamedFile, kind: str, problem: str, advice: str) -> str:
        finding = Finding(
            "file" if kind == "file" else "checkpoint",
            self._name(named),
            problem,
            advice=advice,
            workflow_id=self._workflow_id,
        )
        self._final.append(Found(finding, is_final=True))
        return problem

    def _problem(self, stored: StoredCheckpoint, named: layout.NamedFile) -> str | None:
        if stored.checkpoint.id.workflow_id != self._workflow_id:
            return f"its file holds {stored.checkpoint.id}"
        if named.sequence <= self._newest:
            return "another one has its sequence"
        parent = stored.checkpoint.parent_id
        link: str | None = ""
        if parent is not None:
            if parent.sequence >= named.sequence:
                return "its parent is not older than it is"
            link = self._link_of(parent)
        if link is not None and stored.link_after(link) != stored.chained.link:
            return "its link does not fit its parent's"
        return None

    def _link_of(self, parent: CheckpointId) -> str | None:
        """Return a parent's link; ``None`` where there is nothing to hold a link against."""
        before = self._before
        if before is not None and before.checkpoint.id == parent:
            return before.chained.link
        if parent.sequence in self._damaged:
            return None
        try:
            return read_checkpoint(self._view, parent).chained.link
        except (Damaged, NotFound, SchemaTooNew, FileTrouble):
            return None

    def _require_parent(self, stored: StoredCheckpoint, named: layout.NamedFile) -> bool:
        """Return whether a checkpoint can be rebuilt; note why when not."""
        parent = stored.checkpoint.parent_id
        if parent is None or stored.base is not None:
            return True
        is_missing = find_path(self._view, parent) is None
        if not is_missing and not self._spread.reaches(parent.sequence):
            return True
        try:
            Chains(self._new_view()).replay(stored.checkpoint.id)
        except Damaged:
            if self._spread.reaches(parent.sequence):
                self._spread.follow(named.sequence, parent.sequence, named)
            else:
                problem = f"its parent, checkpoint {parent}, is missing"
                self._problems[named.path] = (named, problem)
                self._spread.begin(named.sequence, named.path)
            return False
        if is_missing:
            problem = f"its parent, checkpoint {parent}, is missing; its context is kept"
            finding = Finding(
                "checkpoint",
                str(stored.checkpoint.id),
                problem,
                advice=_STANDS,
                workflow_id=self._workflow_id,
            )
            found = Found(finding, sequence=named.sequence, stands_on=stored.checkpoint.id)
            self._alone.append(found)
        return True

    def _name(self, named: layout.NamedFile) -> str:
        by_name = id_by_name(self._workflow_id, named)
        if by_name is not None:
            return str(by_name)
        try:
            return str(read_file(self._view, named).checkpoint.id)
        except (Damaged, SchemaTooNew, FileTrouble):
            return named.path
