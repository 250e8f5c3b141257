"""Puts a damaged store right, as far as that can be: what is to be written as one act.

What is damaged goes to the quarantine before it is taken out, with what cannot be rebuilt without
it; what is redundant is made anew from what is intact.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from ...domain.errors import Damaged, NotFound
from ...domain.verification import (
    GIVEN_UP,
    MADE_ANEW,
    QUARANTINED,
    Finding,
    VerifyReport,
    quarantined_with,
    repaired_event,
)
from . import layout
from .chains import Chains
from .checkpoint_file import read_checkpoint, read_file
from .contexts import keep_context, scopes_of
from .documents import value_of
from .event_log import JsonEventLog
from .found import Found
from .logs import JsonLeaseStore
from .lost_leases import lost_lease
from .pointer import Pointer, pointer_made_anew, stored_pointer
from .quarantine import Quarantine
from .unfinished import note_unfinished
from .verification import Verification
from .view import View

# What is put right may bring to light what it hid; each time round leaves less.
_MOST_ROUNDS = 8
_EVENTS_A_FILE = 100
# What is damage may be any number; nothing that was counted is as high.
_HIGHEST = 1 << 53


class Repair:
    """Repairs what verifications find; all of it in one view, which is then to be committed.

    Args:
        over: gives a view over another one.

    Attributes:
        has_acted: whether there is something to commit; then the index is to be made anew.
    """

    def __init__(
        self, view: View, over: Callable[[View], View], quarantine: Quarantine, at: datetime
    ) -> None:
        self._view = view
        self._over = over
        self._quarantine = quarantine
        self._at = at
        self._done: list[Finding] = []
        self._kept: set[str] = set()
        self._logged = 0

    @property
    def has_acted(self) -> bool:
        """Whether there is something to commit; then the index is to be made anew, too."""
        return bool(self._done)

    def note(self, act: Finding) -> None:
        """Log what was done about a finding."""
        if self._logged % _EVENTS_A_FILE == 0:
            self._events = JsonEventLog(self._view)  # with each event its file is written anew
        self._logged += 1
        self._done.append(act)
        self._events.append(repaired_event(act, self._at))

    def run(self, target: str) -> VerifyReport:
        """Repair what can be, and return what was found and done."""
        for _ in range(_MOST_ROUNDS):
            verification = self._verification()
            found = verification.run()
            damage = [each for each in found if each.finding.kind != "leftover"]
            unneeded = [each for each in found if each.finding.kind == "leftover"]
            # What nothing needs may be needed as long as something else is damaged.
            if not self._act_on(damage) and not self._act_on(unneeded):
                break
        else:
            verification = self._verification()
            found = verification.run()
        self._quarantine.sync()
        return VerifyReport(
            target,
            (*self._done, *(each.finding for each in found)),
            verification.checked,
            str(self._quarantine.path) if self._quarantine.is_used else None,
        )

    def _verification(self) -> Verification:
        new_view = lambda: self._over(self._view)  # noqa: E731 - a view for each
        return Verification(new_view, with_index=not self._done)

    def _act_on(self, found: list[Found]) -> int:
        """Do what can be done; return about how many findings it was."""
        return sum(self._act(each) for each in found)

    def _act(self, found: Found) -> bool:
        """Do what can be done about a finding; return whether anything was."""
        repair = None if found.is_final else self._repair(found)
        if repair is None:
            return False
        self.note(replace(found.finding, repair=repair))
        return True

    def _repair(self, found: Found) -> str | None:
        finding = found.finding
        if any(self._view.content(each) is None for each in found.files):
            return None  # what was done before took it along
        if found.stands_on is not None:
            return self._let_stand(found)
        name = finding.workflow_id
        pointer = self._pointer(name) if name is not None else None
        claimed = self._claimed_epoch(found) if finding.kind == "lease" else 0
        self._take_out(found)
        if pointer is not None and finding.kind in ("checkpoint", "index"):
            self._renew_pointer(pointer, found)
        if finding.kind == "checkpoint":
            return quarantined_with(len(found.broken)) if found.files else "the store goes on"
        if finding.kind == "index":
            return MADE_ANEW  # what is of no workflow, when it is looked for
        if finding.kind == "keyframe" and name is not None:
            return self._context(name, found.sequence)
        if finding.kind == "lease" and name is not None:
            return self._lease(name, claimed)
        return QUARANTINED

    def _take_out(self, found: Found) -> None:
        for file in found.files:
            self._keep(file, str(found.finding))
        why = f"it cannot be rebuilt without {found.finding.subject}, which is damaged"
        for file in found.broken:
            self._keep(file, why)
        for file in (*found.files, *found.broken):
            self._view.take_out(file)

    def _keep(self, file: str, why: str) -> None:
        content = self._view.content(file)
        if content is not None and file not in self._kept:
            self._kept.add(file)
            self._quarantine.put(file, content, why)

    def _let_stand(self, found: Found) -> str | None:
        """Let a checkpoint keep what its chain adds up to, as a purge would have."""
        try:
            stored = read_checkpoint(self._view, found.stands_on)  # type: ignore[arg-type]
            replay = Chains(self._over(self._view)).replay(stored.checkpoint.id)
        except (Damaged, NotFound):
            return None
        stored.base = scopes_of(replay)
        stored.save(self._view)
        return "it stands for itself now"

    def _renew_pointer(self, old: Pointer, found: Found) -> None:
        """Let the workflow stand where it can, and give out no sequence again."""
        name = old.workflow_id
        new = pointer_made_anew(self._view, name) or Pointer(name)
        new.floor = max(new.floor, old.floor, found.sequence)
        new.epoch = max(new.epoch, old.epoch)
        new.save(self._view)
        note_unfinished(self._view, new)

    def _context(self, workflow_id: str, sequence: int) -> str:
        """Make a context anew where its chain can still be added up."""
        for named in self._view.chunk_files(workflow_id, layout.chunk(sequence)):
            if named.sequence != sequence:
                continue
            with suppress(Damaged, NotFound):
                stored = read_file(self._view, named)
                chains = Chains(self._over(self._view))
                replay = chains.replay(stored.checkpoint.id, without={sequence})
                keep_context(self._view, replay, stored.chained.link)
                return MADE_ANEW
        return QUARANTINED

    def _lease(self, workflow_id: str, claimed: int) -> str:
        lost = lost_lease(self._view, workflow_id)
        if lost is not None:
            lost = replace(lost, epoch=max(lost.epoch, claimed + 1))
            JsonLeaseStore(self._view).put(lost)
            return GIVEN_UP
        return QUARANTINED

    def _pointer(self, workflow_id: str) -> Pointer:
        """Return what is known of what was given out, before something is taken out."""
        stored = stored_pointer(self._view, workflow_id)
        if stored is not None:
            return stored
        with suppress(Damaged):
            return pointer_made_anew(self._view, workflow_id) or Pointer(workflow_id)
        return Pointer(workflow_id)

    def _claimed_epoch(self, found: Found) -> int:
        for file in found.files:
            with suppress(ValueError, TypeError, KeyError):
                epoch = value_of(self._view.content(file) or b"")["epoch"]
                return epoch if type(epoch) is int and 0 < epoch < _HIGHEST else 0
        return 0
