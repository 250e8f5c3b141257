"""A plain model of a store, written from the design: who may write, and what a write does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from holdfast.infrastructure.clock import ManualClock

from .history import (
    FINAL,
    IN_FLIGHT,
    MAY_BECOME,
    OPENING,
    Key,
    Record,
    Refusal,
    Row,
    Sum,
    Workflow,
    encloses,
    typed,
)

SILENCE, LEASE = 1800.0, 60.0
LONGEST_PAUSE = timedelta(seconds=60)
ANSWER = "answer"
_NOTHING = Record()

_TOLD = {
    "completed": "completed",
    "failed": "failed",
    "killed": "killed",
    "waiting": "waiting",
    "recovering": "resumed",
}


@dataclass(eq=False)
class Actor:
    """One process. ``current`` is what its engine's own calls are written under."""

    number: int
    is_known_dead: bool = False
    current: dict[str, Session] = field(default_factory=dict)
    kept: list[Session] = field(default_factory=list)


@dataclass(eq=False)
class Session:
    """One attempt as its process sees it; ``ended`` is what it raises from then on."""

    workflow: str
    actor: Actor
    epoch: int
    scope: Key
    past: Sum
    last_sign: int
    renewed: int
    number: int
    ended: str | None = None
    is_completed: bool = False
    is_timed_out: bool = False
    waits: bool = False
    used: set[Key] = field(default_factory=set)
    state: Any = None


@dataclass
class Lease:
    """The last lease of a workflow; ``is_over`` once it was given up or ended."""

    epoch: int
    session: Session
    duration: float
    boot: str
    renewed_uptime: int
    renewed_wall: datetime
    is_over: bool = False
    stop: bool = False


class Rules:
    """What every writer does to one workflow."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.workflows: dict[str, Workflow] = {}
        self.events: Counter[tuple[str, str, int | None]] = Counter()
        self.numbers = 0
        self.reached: Counter[str] = Counter()

    # Time

    @property
    def now(self) -> datetime:
        return self.clock.moment().wall

    @property
    def uptime(self) -> int:
        return self.clock.moment().uptime_ns

    # Transactions

    def of(self, name: str) -> Workflow:
        return self.workflows.setdefault(name, Workflow(name))

    @contextmanager
    def act(self, name: str, *, told: bool = True) -> Iterator[Workflow]:
        """Change a workflow all or nothing; a refused writer is told of, where *told*."""
        before, events = self.of(name).copy(), self.events.copy()
        try:
            yield self.workflows[name]
        except Refusal as refusal:
            self.workflows[name], self.events = before, events
            if told and refusal.name in ("Fenced", "LeaseHeld"):
                self.tell("write_refused", name)
                self.reached[f"refused: {refusal.name}"] += 1
            raise

    def tell(self, kind: str, name: str, sequence: int | None = None) -> None:
        self.events[kind, name, sequence] += 1

    def exists(self, name: str) -> Workflow:
        workflow = self.of(name)
        if workflow.head is None:
            raise Refusal("Purged" if workflow.was_purged else "NotFound")
        return workflow

    def find(self, name: str, sequence: int) -> Row:
        row = self.of(name).rows.get(sequence)
        if row is None:
            raise Refusal("NotFound")
        if row.gone:
            raise Refusal("Purged")
        return row

    # Leases

    def standing(self, lease: Lease | None) -> str | None:
        """Say how a lease stands; ``None`` where there never was one."""
        if lease is None:
            return None
        if lease.is_over:
            return "given up"
        now = self.clock.moment()
        same_boot = now.boot_id == lease.boot
        if same_boot:
            good = now.uptime_ns < lease.renewed_uptime + int(lease.duration * 1e9)
        else:
            good = now.wall < lease.renewed_wall + timedelta(seconds=lease.duration)
        if not good:
            return "ran out"
        gone = not same_boot or lease.session.actor.is_known_dead
        return "owner gone" if gone else "held"

    def is_held(self, workflow: Workflow) -> bool:
        return self.standing(workflow.lease) == "held"

    def admit(
        self, workflow: Workflow, session: Session | None, *, heeds_cancel: bool = True
    ) -> int:
        """Return the epoch to write under; a lease that is over is ended by an outsider."""
        lease = workflow.lease
        if session is not None:
            if lease is None or lease.is_over or lease.session is not session:
                raise Refusal("Fenced")
            if heeds_cancel and lease.stop:
                raise Refusal("Cancelled")
            return int(lease.epoch)
        if lease is None:
            return 0
        if self.is_held(workflow):
            raise Refusal("LeaseHeld")
        if not lease.is_over:
            lease.is_over = True
            lease.epoch += 1
            self.reached["lease ended by an outsider"] += 1
        return int(lease.epoch)

    # Rows

    def write(self, workflow: Workflow, key: Key, type_: str, epoch: int, **fields: Any) -> Row:
        self.numbers += 1
        head = fields.pop("parent", None)
        if head is None:
            head = workflow.head.sequence if workflow.head else None
        status = fields.pop("status", None)
        if status is None:
            status = "active" if type_ in OPENING else "completed"
            status = "failed" if type_ == "error_state" else status
        sequence = max(workflow.rows, default=0) + 1
        row = Row(
            self.numbers, sequence, key, type_, status, head, self.now, self.now, epoch, **fields
        )
        row.written_epoch = epoch
        workflow.rows[sequence] = row
        if type_ == "workflow_start":
            workflow.opening = sequence
            if workflow.lease is not None:
                workflow.lease.stop = False
        self.tell("created", workflow.name, sequence)
        return row

    def move(self, workflow: Workflow, row: Row, status: str) -> None:
        if status not in MAY_BECOME[row.status]:
            raise Refusal("IllegalTransition")
        row.status, row.updated = status, max(row.updated, self.now)
        if status in ("completed", "killed"):
            row.due = None
        self.tell(_TOLD[status], workflow.name, row.sequence)

    def take_over(self, workflow: Workflow, row: Row, epoch: int) -> None:
        self.move(workflow, row, "recovering")
        row.epoch = epoch

    def kill(self, workflow: Workflow, within: Key = ()) -> list[Key]:
        doomed = [
            row for row in workflow.unfinished() if row.key == within or encloses(within, row.key)
        ]
        for row in doomed:
            self.move(workflow, row, "killed")
        return [row.key for row in doomed]

    def require_unfinished(self, workflow: Workflow, *, or_completed: bool = False) -> None:
        if workflow.status == "killed" or (workflow.status == "completed" and not or_completed):
            raise Refusal("IllegalTransition")

    # Scopes

    def last_of(self, workflow: Workflow, key: Key, head: int | None = None) -> Row | None:
        """Return what opened or closed a scope last, or refuse where that was purged."""
        if head is None:
            if workflow.head is None:
                return None
            head = workflow.head.sequence
        last = workflow.last_of(key, head)
        is_told = last is not None and last.closes
        past = workflow.add_up(head) if workflow.was_purged and not is_told else {}
        if past.get(key, _NOTHING).is_finished:
            raise Refusal("IllegalTransition")
        return last

    def end_of(self, workflow: Workflow, key: Key, head: int | None = None) -> Row | None:
        last = self.last_of(workflow, key, head)
        return last if last is not None and last.closes else None

    def open_scope(
        self,
        workflow: Workflow,
        key: Key,
        type_: str,
        epoch: int,
        *,
        anew: bool = False,
        parent: int | None = None,
        **fields: Any,
    ) -> Row:
        """Open a scope; take over an older epoch's opening; leave a finished one as it is."""
        existing = workflow.open_row(key)
        if existing is not None:
            if existing.status in IN_FLIGHT and existing.epoch == epoch:
                raise Refusal("ScopeOpen")
            asked = fields.get("input")
            if not anew and (asked is None or typed(asked) == typed(existing.input)):
                self.take_over(workflow, existing, epoch)
                if key == ():
                    existing.due, existing.answered = None, False
                self.reached["opening taken over"] += 1
                if fields.get("state") is not None or fields.get("patch") is not None:
                    saved = {name: fields.get(name) for name in ("state", "patch")}
                    self.write(workflow, key, "progress", epoch, parent=parent, **saved)
                return existing
            self.kill(workflow, key)
        elif not anew:
            end = self.end_of(workflow, key, parent)
            if end is not None:
                return end
        return self.write(workflow, key, type_, epoch, parent=parent, **fields)

    def close_scope(
        self,
        workflow: Workflow,
        key: Key,
        epoch: int,
        *,
        abandon: bool = False,
        failed_only: bool = False,
        parent: int | None = None,
        **fields: Any,
    ) -> tuple[Row, list[Key]]:
        """Close a scope and return its closing checkpoint, and what was killed inside."""
        inside = [row for row in workflow.unfinished() if encloses(key, row.key)]
        for row in inside:
            if not abandon or (failed_only and row.status != "failed"):
                raise Refusal("ScopeOpen")
        opening = workflow.open_row(key)
        if opening is None:
            self.require_not_final(workflow, key, parent)
        for row in inside:
            self.move(workflow, row, "killed")
        type_ = ("workflow_complete", "stage_complete", "agent_complete")[len(key)]
        closing = self.write(workflow, key, type_, epoch, parent=parent, **fields)
        if opening is not None:
            self.move(workflow, opening, "completed")
            opening.retries = 0
        return closing, [row.key for row in inside]

    def require_not_final(self, workflow: Workflow, key: Key, head: int | None) -> None:
        last = self.last_of(workflow, key, head)
        if last is not None and last.status in FINAL:
            raise Refusal("IllegalTransition")

    def fail_scope(
        self, workflow: Workflow, key: Key, epoch: int, parent: int | None = None, **fields: Any
    ) -> Row:
        """Fail a scope; a workflow is due again, or killed when its retries are used up."""
        opening = workflow.open_row(key)
        if opening is None:
            self.require_not_final(workflow, key, parent)
        failing = self.write(workflow, key, "error_state", epoch, parent=parent, **fields)
        if opening is None:
            return failing
        exhausted = False
        retries = opening.retries
        if key == ():
            retries, exhausted = self.reckon(workflow, opening)
        self.move(workflow, opening, "failed")
        if key == ():
            opening.retries, opening.due = retries, self.now
        if exhausted:
            self.kill(workflow)
            self.reached["killed: retries used up"] += 1
        return failing

    def reckon(self, workflow: Workflow, opening: Row) -> tuple[int, bool]:
        """Return the count of retries after one more execution that ended badly."""
        since = workflow.tries[-1].begun_after if workflow.tries else opening.sequence
        before = {row.achieves for row in workflow.kept() if row.sequence <= since}
        after = {row.achieves for row in workflow.kept() if row.sequence > since}
        progressed = bool(after - before - {None})
        count = 1 if progressed else opening.retries + 1
        return count, not progressed and count > opening.max_retries

    # Starting again from an older checkpoint

    def start_from(self, workflow: Workflow, parent: int, epoch: int) -> int:
        """Make *parent* the head; return what the next checkpoint follows."""
        if workflow.head is not None and parent == workflow.head.sequence:
            self.require_unfinished(workflow)
            return parent
        self.find(workflow.name, parent)
        past = workflow.add_up(parent)
        open_then = {key: each for key, each in past.items() if each.is_open}
        kept = set()
        for row in reversed(workflow.unfinished()):
            if row.key in open_then and open_then[row.key].opening == row.sequence:
                kept.add(row.key)
            else:
                self.move(workflow, row, "killed")
        in_order = sorted(open_then, key=lambda key: (len(key), open_then[key].opening or 0))
        head = parent
        for key in in_order:
            if key not in kept:
                head = self._open_anew(workflow, key, open_then[key], head, epoch)
        if not past.get((), Record()).is_open:
            workflow.opening = None
        self.reached["started again from an older parent"] += 1
        return head

    def _open_anew(
        self, workflow: Workflow, key: Key, record: Record, head: int, epoch: int
    ) -> int:
        old = workflow.rows[record.opening or 0]
        fields = {} if old.gone else {"max_retries": old.max_retries}
        row = self.write(
            workflow,
            key,
            OPENING[len(key)],
            epoch,
            parent=head,
            name=record.title,
            kind=record.kind,
            handler=record.handler,
            input=record.input,
            **fields,
        )
        return row.sequence

    # Calls

    def checkpoint(
        self,
        name: str,
        session: Session | None,
        key: Key,
        type_: str = "progress",
        /,
        *,
        parent: int | None = None,
        handler: str | None = None,
        max_retries: int = 3,
        **fields: Any,
    ) -> Row:
        """``engine.checkpoint``, under a session or as an outsider."""
        with self.act(name) as workflow:
            epoch = self.admit(workflow, session)
            if parent is not None:
                parent = self.start_from(workflow, parent, epoch)
            else:
                self.require_unfinished(workflow, or_completed=type_ == "workflow_start")
            if handler is not None and type_ != "workflow_start":
                stands_on = workflow.stands_on
                if stands_on is None:
                    opening = self.write(
                        workflow,
                        (),
                        "workflow_start",
                        epoch,
                        parent=parent,
                        handler=handler,
                        max_retries=max_retries,
                    )
                    parent = opening.sequence
                elif stands_on.handler is None:
                    stands_on.handler = handler
            fields = {**fields, "handler": handler, "max_retries": max_retries}
            if type_ in OPENING:
                return self.open_scope(workflow, key, type_, epoch, parent=parent, **fields)
            if type_.endswith("_complete"):
                return self.close_scope(workflow, key, epoch, parent=parent, **fields)[0]
            if type_ == "error_state":
                return self.fail_scope(workflow, key, epoch, parent=parent, **fields)
            return self.write(workflow, key, type_, epoch, parent=parent, **fields)

    def complete(
        self,
        name: str,
        session: Session | None,
        key: Key,
        /,
        *,
        abandon: bool = False,
        failed_only: bool = False,
        joined: bool = False,
        **fields: Any,
    ) -> Row:
        """``engine.complete`` of a checkpoint's scope."""
        with self.act(name) as workflow:
            epoch = self.admit(workflow, session)
            self.require_unfinished(workflow)
            if joined:
                self.write(workflow, key, "sync_barrier", epoch, name=key[0])
            how = {"abandon": abandon, "failed_only": failed_only}
            return self.close_scope(workflow, key, epoch, **how, **fields)[0]

    def fail(self, name: str, session: Session | None, key: Key) -> Row:
        """``engine.fail`` of a checkpoint's scope."""
        with self.act(name) as workflow:
            epoch = self.admit(workflow, session)
            self.require_unfinished(workflow)
            return self.fail_scope(workflow, key, epoch)

    def heartbeat(self, name: str, session: Session | None) -> bool:
        """``engine.heartbeat``; return whether the owner was asked to stop."""
        with self.act(name) as workflow:
            self.admit(workflow, session, heeds_cancel=False)
            if session is not None:
                now = self.clock.moment()
                lease = workflow.lease
                lease.renewed_uptime, lease.renewed_wall = now.uptime_ns, now.wall
                lease.boot = now.boot_id
                return bool(lease.stop)
            self.exists(name)
            opening = workflow.stands_on
            if opening is None or opening.status in FINAL:
                raise Refusal("InvalidRequest")
            opening.updated = max(opening.updated, self.now)
            return False

    def retry(self, name: str) -> Row:
        """``engine.retry``."""
        self.exists(name)
        with self.act(name) as workflow:
            old = workflow.stands_on
            if old is None:
                raise Refusal("InvalidRequest")
            epoch = self.admit(workflow, None)
            if old.status != "killed":
                raise Refusal("IllegalTransition")
            self.reached["killed workflow opened anew"] += 1
            same = replace(old)
            return self.write(
                workflow,
                (),
                "workflow_start",
                epoch,
                input=same.input,
                name=same.name,
                handler=same.handler,
                max_retries=same.max_retries,
            )
