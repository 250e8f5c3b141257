"""Looks a store through: every file against its digest, and against what the others say."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...domain.errors import Damaged, SchemaTooNew
from ...domain.retention import PURGE_RESOURCE
from ...domain.verification import Finding, FindingKind
from . import layout
from .chain_check import UNREADABLE
from .found import Found
from .index_check import IndexCheck
from .journal import TEMPORARY
from .logs import LEASE, JsonLeaseStore
from .trouble import FileTrouble
from .view import View
from .workflow_check import QUARANTINED, REDUNDANT, WorkflowCheck, leftover_problem
from .workflow_names import name_by_any_file

_JOURNAL = layout.JOURNAL.partition("/")[0]


class Verification:
    """Looks at what a view sees, one workflow at a time.

    Memory grows with what is found, and with the number of files of the largest workflow.

    Args:
        new_view: gives a view to read with; what is made anew in it is never committed.
        with_index: whether to look at the index, too; not while it is waiting to be made anew.
    """

    def __init__(self, new_view: Callable[[], View], *, with_index: bool = True) -> None:
        self._new_view = new_view
        self._view = new_view()
        self._with_index = with_index
        self._index = IndexCheck(new_view)
        self.found: list[Found] = []
        self.checked: dict[str, int] = {"workflows": 0, "checkpoints": 0, "events": 0}

    def run(self) -> list[Found]:
        """Return what is damaged, and what nothing needs."""
        self._note(self._workflows())
        # That a checkpoint was created is an event, and stands in its own file.
        self.checked["events"] += self.checked["checkpoints"]
        self._note(self._leases())
        if self._with_index:
            self._note(self._index.run())
        self._note(self._index.lists())
        self._note(self._leftovers())
        return self.found

    def _note(self, found: Iterator[Found]) -> None:
        for each in self._guarded(found):
            self.found.append(each)
            if each.finding.kind in ("checkpoint", "event", "file"):
                self._index.skip(each.finding.subject)

    def _guarded(self, found: Iterator[Found]) -> Iterator[Found]:
        """Let a file that the system does not give, or a newer version wrote, be a finding."""
        try:
            yield from found
        except FileTrouble as trouble:
            path = str(trouble.error.filename or "a file")
            problem = f"it cannot be read ({trouble})"
            yield Found(Finding("file", path, problem, advice=UNREADABLE), is_final=True)
        except SchemaTooNew as error:
            finding = Finding("file", error.target, str(error), advice="use that version")
            yield Found(finding, is_final=True)

    def _workflows(self) -> Iterator[Found]:
        for bucket in sorted(self._view.names(layout.WORKFLOWS)):
            for name in sorted(self._view.names(f"{layout.WORKFLOWS}/{bucket}")):
                yield from self._workflow(f"{layout.WORKFLOWS}/{bucket}/{name}")

    def _workflow(self, folder: str) -> Iterator[Found]:
        workflow_id = name_by_any_file(self._view, folder)
        if workflow_id is None:
            yield from self._nameless(folder)
            return
        check = WorkflowCheck(self._new_view, workflow_id, self._index.add)
        yield from self._guarded(check.run())
        self.checked["workflows"] += 1
        for what, count in check.checked.items():
            self.checked[what] = self.checked.get(what, 0) + count

    def _nameless(self, folder: str) -> Iterator[Found]:
        """Iterate over the files in a folder in which nothing tells whose it is."""
        for file in self._view.files_below(folder):
            if file.endswith(TEMPORARY) or file.rpartition("/")[2].startswith("."):
                continue
            parent, _, name = file.rpartition("/")
            named = layout.parse_checkpoint_name(parent, name)
            problem = "it cannot be told which workflow it belongs to"
            kind: FindingKind = "checkpoint" if named is not None else "record"
            yield Found(Finding(kind, file, problem, advice=QUARANTINED), (file,))

    def _leases(self) -> Iterator[Found]:
        count = 0
        for file in self._view.files_below(layout.LEASES):
            path = file.removesuffix(".gz")
            if file.endswith(TEMPORARY) or not path.endswith(".json"):
                yield from self._leftover(file)
                continue
            count += path != layout.lease(PURGE_RESOURCE)
            problem = self._problem_of_lease(path)
            if problem is not None:
                name = self._resource(path)
                subject = layout.scope_text(name) if name is not None else path
                finding = Finding("lease", subject, problem, advice=REDUNDANT, workflow_id=name)
                yield Found(finding, (file,))
        self.checked["leases"] = count

    def _problem_of_lease(self, path: str) -> str | None:
        try:
            found = self._view.read(path, LEASE, path) or {}
            resource = found.get("resource")
            if not isinstance(resource, str) or layout.lease(resource) != path:
                return f"its file holds that of {resource}"
            JsonLeaseStore(self._view).kept(resource)
        except (Damaged, SchemaTooNew) as error:
            return str(getattr(error, "problem", error))
        return None

    def _resource(self, path: str) -> str | None:
        """Return whose lease a damaged file must be, by its place."""
        bucket, _, name = path.removeprefix(f"{layout.LEASES}/").partition("/")
        folder = f"{layout.WORKFLOWS}/{bucket}/{name.removesuffix('.json')}"
        return name_by_any_file(self._view, folder) if name else None

    def _leftovers(self) -> Iterator[Found]:
        """Iterate over what nothing needs beside the files of workflows."""
        marker = layout.MARKER + TEMPORARY
        if marker in self._view.names(""):
            yield from self._leftover(marker)
        for file in self._view.files_below(_JOURNAL):
            if file != layout.JOURNAL:
                yield from self._leftover(file)
        for file in self._view.files_below(layout.INDEX):
            if file.removesuffix(".gz") not in self._of_index(file):
                yield from self._leftover(file)

    def _of_index(self, file: str) -> set[str]:
        """Return the paths that a file of the index may have."""
        name = file.rpartition("/")[2].removesuffix(".gz").removesuffix(".json")
        number = layout.chunk_number(name)
        segment = layout.segment(number) if number is not None else layout.INDEX_TAIL
        return {layout.INDEX_TAIL, layout.FAILURES, layout.unfinished(name), segment}

    def _leftover(self, file: str) -> Iterator[Found]:
        if not file.rpartition("/")[2].startswith("."):
            problem = leftover_problem(file)
            yield Found(Finding("leftover", file, problem, advice=QUARANTINED), (file,))
