"""A plain model of attempts: taking the lease, what a run does under it, how it ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from .history import IN_FLIGHT, Key, Record, Refusal, Row, Try, Workflow, typed
from .oracle import (
    ANSWER,
    LEASE,
    LONGEST_PAUSE,
    SILENCE,
    Actor,
    Lease,
    Rules,
    Session,
)

T = TypeVar("T")
Script = tuple[Any, ...]

_RENEWED_AFTER = 20.0
_FATAL = {"retries_used_up", "cancelled"}
_BY_FORCE = {"held", "retries_used_up", "not_due"}
_STALE = {
    "ran out": "its lease ran out",
    "given up": "its lease was given up",
    "owner gone": "its owner is gone",
}


class Result(NamedTuple):
    """What a recovery comes to."""

    outcome: str
    output: Any
    abandoned: frozenset[Key]
    attempt: int


class Oracle(Rules):
    """The whole model: what each call of the interface is expected to give, raise and change."""

    known_handlers: frozenset[str] = frozenset()
    play: Callable[[Session, Script], Any]

    # What stands in the way

    def died(self, workflow: Workflow) -> tuple[int, bool] | None:
        """Return the count of retries where the last attempt died."""
        opening = workflow.stands_on
        if opening is None or opening.status not in IN_FLIGHT or self.is_held(workflow):
            return None
        if not workflow.tries or workflow.tries[-1].outcome is not None:
            return None  # whoever opened it without a lease made no attempt
        return self.reckon(workflow, opening)

    def is_cancel_asked(self, workflow: Workflow) -> bool:
        lease = workflow.lease
        asked = lease is not None and lease.stop and not self.is_held(workflow)
        return asked and workflow.status in IN_FLIGHT

    def obstacles(self, workflow: Workflow) -> set[str]:
        found = {"held"} if self.is_held(workflow) else set()
        opening = workflow.stands_on
        if opening is None:
            return found
        if opening.status in ("completed", "killed"):
            return found | {opening.status}
        if opening.status == "waiting":
            return found if self.is_due(opening) else found | {"waiting"}
        died = self.died(workflow)
        if self.is_cancel_asked(workflow):
            found.add("cancelled")
        if died is not None and died[1]:
            found.add("retries_used_up")
        pause = opening.due - self.now if opening.due is not None else timedelta()
        if timedelta() < pause <= LONGEST_PAUSE:
            found.add("not_due")
        return found

    def is_due(self, opening: Row) -> bool:
        """Whether what waits can go on: it was answered, whatever the clock says, or it is time."""
        return opening.answered or (opening.due is not None and opening.due <= self.now)

    def plan(
        self, name: str, target: Key, handler: str | None, force: bool
    ) -> tuple[Key, str | None, set[str]]:
        """Return whose handler would run, which that is, and what stands in the way."""
        workflow = self.exists(name)
        head = workflow.head
        past = workflow.add_up(head.sequence if head else 0)
        scope, chosen = target, handler
        if handler is None:
            lineage = [target[:length] for length in range(len(target), -1, -1)]
            named = [(each, past[each].handler) for each in lineage if each in past]
            scope, chosen = next(((key, each) for key, each in named if each), ((), None))
        obstacles = self.obstacles(workflow)
        if past.get(scope, Record()).is_finished and (scope != () or workflow.stands_on is None):
            obstacles.add("completed")
        if chosen is None:
            obstacles.add("no_handler")
        elif chosen not in self.known_handlers:
            obstacles.add("unknown_handler")
        if "completed" in obstacles:
            obstacles = {"completed"}  # what is done needs nothing else
        return scope, chosen, obstacles - (_BY_FORCE if force else set())

    # Beginning

    def begin(
        self,
        actor: Actor,
        name: str,
        handler: str | None,
        *,
        scope: Key = (),
        force: bool = False,
        heeds_back_off: bool = True,
        raise_held: bool = False,
        lease: float = LEASE,
        **opening: Any,
    ) -> Session:
        """Take the lease and begin an attempt; or refuse, and kill what nobody is to carry on."""
        workflow = self.of(name)
        found = self.obstacles(workflow)
        if not heeds_back_off:
            found.discard("not_due")
        if force:
            found -= _BY_FORCE
        head = workflow.head
        if head is not None and (scope != () or workflow.stands_on is None):
            last = workflow.last_of(scope, head.sequence)
            if last is not None and last.closes:
                found.add("completed")
        if found and found <= _FATAL:
            self._kill_instead(workflow)
            raise Refusal("NotRecoverable")
        if found:
            if raise_held and "held" in found:
                raise Refusal("LeaseHeld")
            if raise_held and "waiting" in found:
                raise Refusal("Waiting")
            raise Refusal("NotRecoverable")
        return self._begin(actor, workflow, handler, scope, lease, opening)

    def _kill_instead(self, workflow: Workflow) -> None:
        if workflow.tries and workflow.tries[-1].outcome is None:
            workflow.tries[-1].outcome = "died"
        self.admit(workflow, None)
        self.kill(workflow)
        self.reached["killed instead of recovered"] += 1

    def _begin(
        self,
        actor: Actor,
        workflow: Workflow,
        handler: str | None,
        scope: Key,
        duration: float,
        opening: dict[str, Any],
    ) -> Session:
        died = self.died(workflow)
        old, row = workflow.lease, workflow.stands_on
        if row is not None and row.status in IN_FLIGHT:
            self.tell("found_stale", workflow.name, row.sequence)
        self.reached["recovered" if row is not None else "begun"] += 1
        if old is not None and self.is_held(workflow):
            self.reached["fenced by force"] += 1
        epoch = old.epoch + 1 if old is not None else 1
        self.tell("lease_taken", workflow.name)
        if workflow.tries and workflow.tries[-1].outcome is None:
            workflow.tries[-1].outcome = "died" if died else "fenced"
        if row is None:
            self.write(workflow, (), "workflow_start", epoch, handler=handler, **opening)
        else:
            if died is not None:
                row.retries = died[0]
            row.handler = row.handler or handler
            row.due, row.answered = None, False
            self.take_over(workflow, row, epoch)
        head = workflow.head
        begun_after = head.sequence if head else 0
        number = workflow.tries[-1].number + 1 if workflow.tries else 1
        workflow.tries.append(Try(number, epoch, handler, begun_after))
        self.tell("attempt_begun", workflow.name)
        past = workflow.add_up(begun_after)
        now = self.clock.moment()
        session = Session(
            workflow.name, actor, epoch, scope, past, now.uptime_ns, now.uptime_ns, number
        )
        session.state = past.get((), Record()).state
        workflow.lease = Lease(epoch, session, duration, now.boot_id or "", now.uptime_ns, now.wall)
        actor.current[workflow.name] = session
        actor.kept.append(session)
        return session

    # Under the lease

    def require_alive(self, session: Session) -> None:
        if session.ended == "TimedOut":
            raise Refusal("Fenced")
        if session.ended is not None:
            raise Refusal(session.ended)

    def under(self, session: Session, work: Callable[[], T]) -> T:
        """Write under a session's lease; once it is lost nothing more is tried."""
        self.require_alive(session)
        try:
            done = work()
        except Refusal as refusal:
            if refusal.name in ("Cancelled", "Fenced"):
                session.ended = session.ended or refusal.name
            raise
        session.last_sign = self.uptime
        return done

    def claim(self, session: Session, key: Key) -> None:
        if not session.is_completed:
            self.require_alive(session)
        if key in session.used:
            raise Refusal("DuplicateName")
        session.used.add(key)

    def run_save(self, session: Session, **fields: Any) -> Row:
        row = self.under(
            session, lambda: self.checkpoint(session.workflow, session, (), "progress", **fields)
        )
        self.note_state(session, (), fields)
        return row

    def note_state(self, session: Session, key: Key, fields: dict[str, Any]) -> None:
        from .history import merged

        if key == () and fields.get("state") is not None:
            session.state = fields["state"]
        if key == () and fields.get("patch") is not None:
            session.state = merged(session.state, fields["patch"])

    def run_barrier(self, session: Session, name: str) -> Row:
        return self.under(
            session,
            lambda: self.checkpoint(session.workflow, session, (), "sync_barrier", name=name),
        )

    def run_beat(self, session: Session) -> None:
        if self.under(session, lambda: self.heartbeat(session.workflow, session)):
            session.ended = session.ended or "Cancelled"
            self.require_alive(session)

    def run_step(self, session: Session, key: Key, given: Any, fails: bool) -> Any:
        self.claim(session, key)
        record = session.past.get(key, Record())
        asked = {"args": [given], "kwargs": {}}
        changed = record.opening is not None and typed(record.input) != typed(asked)
        if record.is_finished:
            if changed:
                raise Refusal("InputChanged")
            self.reached["step not run again"] += 1
            return record.output
        opens = "stage_start" if len(key) == 1 else "agent_start"
        self.under(session, lambda: self._open(session, key, opens, anew=changed, input=asked))
        if fails:
            self.under(session, lambda: self.fail(session.workflow, session, key))
            raise Refusal("ValueError")
        output = {"got": given}
        self.under(session, lambda: self.complete(session.workflow, session, key, output=output))
        return output

    def _open(self, session: Session, key: Key, type_: str, *, anew: bool, **fields: Any) -> Row:
        with self.act(session.workflow) as workflow:
            epoch = self.admit(workflow, session)
            self.require_unfinished(workflow)
            return self.open_scope(workflow, key, type_, epoch, anew=anew, **fields)

    def run_stage(self, session: Session, name: str, agents: list[tuple[str, Any, bool]]) -> None:
        """A block of a stage with agents in it."""
        key = (name,)
        self.claim(session, key)
        if session.past.get(key, Record()).is_finished:
            for agent, given, fails in agents:
                self.run_step(session, (name, agent), given, fails)
            return
        self.under(
            session,
            lambda: self._open(session, key, "stage_start", anew=False, kind="sequential"),
        )
        try:
            for agent, given, fails in agents:
                self.run_step(session, (name, agent), given, fails)
        except Refusal as error:
            if session.ended is None and error.name != "Waiting":
                with suppress(Refusal):  # noted on the error
                    self.under(session, lambda: self.fail(session.workflow, session, key))
            raise
        self.under(
            session,
            lambda: self.complete(session.workflow, session, key, abandon=True, failed_only=True),
        )

    # Waiting

    def open_waits(self, workflow: Workflow) -> list[tuple[Row, Any, bool]]:
        """Return what is asked, with the answer, and whether there is one."""
        head = workflow.head
        past = workflow.add_up(head.sequence) if head else {}
        found = []
        for row in workflow.unfinished():
            if row.kind == "wait":
                state = past.get(row.key, Record()).state
                found.append((row, state.get(ANSWER), ANSWER in state))
        return found

    def run_wait(self, session: Session, name: str, ask: Any, until: float | None) -> Any:
        key = (name,)
        self.claim(session, key)
        record = session.past.get(key, Record())
        before = record.is_open or record.is_finished
        if before and typed(record.input) != typed(ask):
            raise Refusal("InputChanged")
        if record.is_finished:
            return record.output
        asked = self.under(session, lambda: self._ask(session, key, ask, until))
        if asked is None:
            session.waits = True
            raise Refusal("Waiting")
        answer, closing = asked
        self.under(
            session,
            lambda: self.complete(session.workflow, session, key, output=answer, name=closing),
        )
        self.reached[f"wait over: {closing}"] += 1
        return answer

    def _ask(
        self, session: Session, key: Key, ask: Any, until: float | None
    ) -> tuple[Any, str] | None:
        with self.act(session.workflow) as workflow:
            epoch = self.admit(workflow, session)
            self.require_unfinished(workflow)
            for row, answer, is_answered in self.open_waits(workflow):
                if row.key != key:
                    continue
                is_over = is_answered or (row.due is not None and row.due <= self.now)
                if is_over:
                    if row.status == "waiting":
                        self.take_over(workflow, row, epoch)
                    return answer, "answered" if is_answered else "overdue"
                if row.status != "waiting":
                    self.move(workflow, row, "waiting")
                return None
            self.kill(workflow, key)
            row = self.write(workflow, key, "stage_start", epoch, kind="wait", input=ask, state={})
            self.move(workflow, row, "waiting")
            row.due = self.now + timedelta(seconds=until) if until is not None else None
            return None

    def answer(self, name: str, question: str, value: Any) -> Row:
        """``engine.answer``; the first counts."""
        self.exists(name)
        with self.act(name) as workflow:
            epoch = workflow.lease.epoch if workflow.lease else 0
            waits = {row.key: (row, answered) for row, _, answered in self.open_waits(workflow)}
            if (question,) not in waits:
                self._refuse_answer(workflow, (question,))
            asked, is_answered = waits[(question,)]
            if is_answered:
                raise Refusal("AlreadyAnswered")
            if asked.due is not None and asked.due <= self.now:
                raise Refusal("AnsweredTooLate")
            row = self.write(
                workflow, asked.key, "progress", epoch, name=ANSWER, state={ANSWER: value}
            )
            self.tell("answered", name, row.sequence)
            if workflow.status == "waiting" and workflow.stands_on is not None:
                workflow.stands_on.answered = True
            self.reached["answered"] += 1
            return row

    def _refuse_answer(self, workflow: Workflow, key: Key) -> None:
        end = self.end_of(workflow, key)
        head = workflow.head
        past = workflow.add_up(head.sequence) if head else {}
        if end is None or past.get(key, Record()).kind != "wait":
            raise Refusal("NotAsked")
        raise Refusal("AlreadyAnswered" if end.name == "answered" else "AnsweredTooLate")

    # Ending

    def finish(
        self, session: Session, outcome: str, output: Any = None, *, has_error: bool = False
    ) -> tuple[str, frozenset[Key]]:
        """Record how an attempt ended and give its lease up; return that, and what was killed."""
        with self.act(session.workflow) as workflow:
            epoch = self.admit(workflow, session, heeds_cancel=False)
            lease = workflow.lease
            if lease.stop and has_error:
                outcome, has_error = "cancelled", False
            outcome, killed = self._settle(workflow, session, epoch, outcome, output, has_error)
            if workflow.tries:
                workflow.tries[-1].outcome = outcome
            lease.is_over = True
            self.reached[f"ended: {outcome}"] += 1
            return outcome, frozenset(killed)

    def _settle(
        self,
        workflow: Workflow,
        session: Session,
        epoch: int,
        outcome: str,
        output: Any,
        has_error: bool,
    ) -> tuple[str, list[Key]]:
        opening = workflow.open_row(())
        if opening is None or opening.status not in IN_FLIGHT:
            failed = opening is not None and opening.status == "failed" and not has_error
            return "failed" if failed else outcome, []
        if outcome == "completed":
            return outcome, self._complete(workflow, session.scope, epoch, output)
        if outcome in ("failed", "timed_out"):
            inner = workflow.open_row(session.scope) if session.scope else None
            if inner is not None and inner.status in IN_FLIGHT:
                self.fail_scope(workflow, session.scope, epoch)
            failing = self.fail_scope(workflow, (), epoch)
            if outcome == "timed_out":
                self.tell("timed_out", workflow.name, failing.sequence)
        elif outcome == "cancelled":
            return outcome, self.kill(workflow)
        elif outcome == "waiting":
            waits = self.open_waits(workflow)
            self.move(workflow, opening, "waiting")
            opening.answered = any(answered for _, _, answered in waits)
            times = [row.due for row, _, _ in waits if row.due is not None]
            opening.due = min(times, default=None)
        return outcome, []

    def _complete(self, workflow: Workflow, key: Key, epoch: int, output: Any) -> list[Key]:
        inner = workflow.open_row(key)
        killed: list[Key] = []
        if inner is not None or self.end_of(workflow, key) is None:
            if inner is not None and inner.status not in IN_FLIGHT:
                self.take_over(workflow, inner, epoch)
            _, killed = self.close_scope(workflow, key, epoch, abandon=True, output=output)
        opening = workflow.open_row(())
        if opening is not None:
            opening.retries = 0
        return killed

    def forget(self, session: Session) -> None:
        """Keep its lease no longer."""
        if session in session.actor.kept:
            session.actor.kept.remove(session)
        if session.actor.current.get(session.workflow) is session:
            del session.actor.current[session.workflow]

    def lose(self, session: Session, why: str) -> None:
        """End a session whose lease is lost; its engine's own calls stay refused."""
        is_current = session.actor.current.get(session.workflow) is session
        session.ended = session.ended or why
        self.forget(session)
        if is_current:
            session.actor.current[session.workflow] = session

    def _finish(
        self, session: Session, outcome: str, output: Any = None, *, has_error: bool = False
    ) -> tuple[str, frozenset[Key]]:
        self.forget(session)
        if session.ended == "Cancelled":
            return self.finish(session, outcome, output, has_error=has_error)
        return self.under(
            session, lambda: self.finish(session, outcome, output, has_error=has_error)
        )

    def leave(self, session: Session, output: Any = None) -> tuple[str, frozenset[Key]]:
        """Leave without an error; what the session ended for counts all the same."""
        try:
            self.require_alive(session)
            if session.waits:
                raise Refusal("Waiting")
        except Refusal as error:
            self.leave_by(session, error)
            raise
        return self._finish(session, "completed", output)

    def leave_by(self, session: Session, error: Refusal) -> tuple[str, frozenset[Key]]:
        """Leave by an error: it is recorded for what it means."""
        if session.is_timed_out:
            return "timed_out", frozenset()
        if session.ended == "Cancelled":
            return self._finish(session, "cancelled")
        if error.name == "Waiting" and session.waits:
            return self._finish(session, "waiting")
        if session.ended == "Fenced":
            self.lose(session, "Fenced")
            raise Refusal("Fenced")
        return self._finish(session, "failed", has_error=True)

    def interrupt(self, session: Session) -> None:
        """Give the lease up; no retry is used up."""
        try:
            self._finish(session, "given_up")
        except Refusal as trouble:
            session.ended = session.ended or trouble.name

    def tick(self, actor: Actor) -> None:
        """What the keeper of leases does every now and then: renew, and end what is silent."""
        for session in list(actor.kept):
            if (self.uptime - session.last_sign) / 1e9 > SILENCE:
                self._end_silent(session)
            elif (self.uptime - session.renewed) / 1e9 >= _RENEWED_AFTER:
                self._renew(session)

    def _renew(self, session: Session) -> None:
        try:
            stopped = self.heartbeat(session.workflow, session)
        except Refusal:
            self.lose(session, "Fenced")
            return
        if stopped:
            session.ended = session.ended or "Cancelled"
        session.renewed = self.uptime

    def _end_silent(self, session: Session) -> None:
        try:
            self.finish(session, "timed_out", has_error=True)
        except Refusal:
            self.lose(session, "Fenced")
            return
        session.is_timed_out = True
        self.lose(session, "TimedOut")
        self.reached["ended for being silent"] += 1

    # Calls

    def enter(self, actor: Actor, name: str, handler: str | None, **opening: Any) -> Session:
        """``engine.run``: a session; of a completed workflow one that writes nothing."""
        workflow = self.of(name)
        closing = self.look_up(workflow, opening.get("input"))
        stands_on, head = workflow.stands_on, workflow.head
        if closing is not None and stands_on is not None and head is not None:
            past = workflow.add_up(head.sequence)
            number = workflow.tries[-1].number if workflow.tries else 1
            session = Session(name, actor, stands_on.epoch, (), past, 0, 0, number)
            session.state = past[()].state
            session.is_completed, session.ended = True, "IllegalTransition"
            return session
        return self.begin(actor, name, handler, heeds_back_off=False, raise_held=True, **opening)

    def look_up(self, workflow: Workflow, given: Any) -> Row | None:
        """Return what closed the workflow; refuse to ask it with another input."""
        opening, head = workflow.stands_on, workflow.head
        if opening is None or head is None:
            return None
        if given is not None and typed(given) != typed(opening.input):
            raise Refusal("InputChanged")
        last = workflow.last_of((), head.sequence)
        return last if last is not None and last.closes else None

    def carry(self, session: Session, script: Script) -> tuple[Result, str | None]:
        """Let the script run under the session; return what it came to, and its error."""
        error = None
        output = None
        try:
            output = self.play(session, script)
            self.require_alive(session)
            if session.waits:
                raise Refusal("Waiting")
        except Refusal as raised:
            outcome, killed = self.leave_by(session, raised)
            error = session.ended or raised.name
            output = None
        else:
            outcome, killed = self._finish(session, "completed", output)
        return Result(outcome, output, killed, session.number), error

    def recover(
        self,
        actor: Actor,
        name: str,
        target: Key | int,
        script: Script,
        *,
        handler: str | None = None,
        force: bool = False,
    ) -> Result:
        """``engine.recover`` of a workflow, or of a checkpoint by its sequence."""
        key = self.find(name, target).key if isinstance(target, int) else target
        scope, chosen, obstacles = self.plan(name, key, handler, force)
        if obstacles and not obstacles <= _FATAL:
            raise Refusal("NotRecoverable")
        session = self.begin(actor, name, chosen, scope=scope, force=force)
        return self.carry(session, script)[0]

    def start(self, actor: Actor, name: str, handler: str, given: Any, script: Script) -> Any:
        """``engine.start`` of a registered workflow function."""
        workflow = self.of(name)
        closing = self.look_up(workflow, given)
        opening = workflow.stands_on
        if opening is not None:
            if opening.handler not in (None, handler):
                raise Refusal("InvalidRequest")
            if closing is not None:
                return closing.output
        session = self.begin(
            actor, name, handler, heeds_back_off=False, raise_held=True, input=given
        )
        result, error = self.carry(session, script)
        if error is not None:
            raise Refusal(error)
        return result.output

    def cancel(self, name: str) -> bool:
        """``engine.cancel``: at once where nobody carries it on."""
        self.exists(name)
        with self.act(name) as workflow:
            if workflow.stands_on is None:
                raise Refusal("InvalidRequest")
            if self.is_held(workflow):
                self.require_unfinished(workflow)
                workflow.lease.stop = True
                self.tell("cancel_asked", name, workflow.opening)
                self.reached["asked to stop"] += 1
                return False
            self.admit(workflow, None)
            self.require_unfinished(workflow)
            if workflow.tries and workflow.tries[-1].outcome is None:
                workflow.tries[-1].outcome = "died"
            self.kill(workflow)
            self.reached["cancelled at once"] += 1
            return True

    def stale(self, threshold: timedelta) -> dict[str, tuple[Any, ...]]:
        """``engine.stale``: by workflow, why and since when."""
        found = {}
        for name, workflow in self.workflows.items():
            opening, lease, head = workflow.stands_on, workflow.lease, workflow.head
            if opening is None or head is None or (opening.handler is None and lease is None):
                continue
            signs = [opening.updated, head.at] + ([lease.renewed_wall] if lease else [])
            because = None
            if opening.status == "waiting":
                because = (
                    "it was answered, or its time to wait is over" if self.is_due(opening) else None
                )
            elif opening.status in IN_FLIGHT:
                standing = self.standing(lease)
                if standing is None and self.now - max(signs) > threshold:
                    because = "it was never under a lease and is silent"
                because = because or _STALE.get(standing or "")
            if because is None:
                continue
            obstacles = self.obstacles(workflow)
            if opening.handler is None:
                obstacles.add("no_handler")
            elif opening.handler not in self.known_handlers:
                obstacles.add("unknown_handler")
            open_scopes = tuple(row.key for row in workflow.unfinished())
            epoch = lease.epoch if lease else 0
            found[name] = (
                opening.status,
                because,
                max(signs),
                epoch,
                open_scopes,
                opening.handler,
                obstacles,
            )
        return found

    def purge(self, only: str | None, keep: int | None, max_age: timedelta | None) -> int:
        """``engine.purge`` with limits; return how many go."""
        if only is not None:
            self.exists(only)
        chosen = [self.workflows[only]] if only is not None else list(self.workflows.values())
        gone = 0
        for workflow in chosen:
            kept = workflow.kept()
            for newer, row in enumerate(reversed(kept)):
                old = max_age is None or row.at < self.now - max_age
                beyond = keep is None or newer >= keep
                needed = row.opens and (row.status not in ("completed", "killed"))
                stands = row.sequence == workflow.opening
                if old and beyond and newer > 0 and not needed and not stands:
                    row.gone = workflow.was_purged = True
                    gone += 1
            for row in workflow.kept():
                if row.parent is not None and workflow.rows[row.parent].gone:
                    self.reached["purge cut a chain"] += 1
        self.reached["purged"] += gone
        return gone

    def delete(self, name: str, force: bool) -> int:
        """``engine.delete``: sequences and epochs go on from where they were."""
        self.exists(name)
        with self.act(name, told=False) as workflow:
            if not force:
                if self.is_held(workflow):
                    raise Refusal("LeaseHeld")
                if workflow.unfinished():
                    raise Refusal("IllegalTransition")
            lease = workflow.lease
            if lease is not None and not lease.is_over:
                lease.is_over = True
                lease.epoch += 1
            count = len(workflow.kept())
            for row in workflow.kept():
                row.gone = True
            workflow.was_purged, workflow.opening, workflow.tries = True, None, []
            self.reached["deleted"] += 1
            return count

    def may_fork(self, name: str, sequence: int, new: str) -> int:
        """``engine.fork``: return the epoch that the new workflow is written under."""
        self.find(name, sequence)
        with self.act(new) as workflow:
            if workflow.head is not None:
                raise Refusal("InvalidRequest")
            self.reached["forked"] += 1
            return self.admit(workflow, None)
