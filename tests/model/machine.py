"""A state machine over the public interface: two processes on one store, against the model."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import holdfast
from holdfast.domain.errors import HoldfastError
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from . import comparison
from .history import OPENING, Key, Refusal, Row, typed
from .oracle import Actor, Session
from .oracle_runs import Oracle, Result
from .processes import Process, QuietClock, let_go, open_process, tick
from .scripts import QUESTIONS, RETURNED, SCRIPTS, STATES, STEPS, VALUES, as_expected, really

NAMES = ("w", "v/ü")
FORKS = ("f", "g")
SCOPES: tuple[Key, ...] = ((), ("s",), ("s", "x"), ("s", "y"), ("t",))

_slot = st.integers(0, 1)
_pick = st.integers(0, 9)
_fresh = st.sampled_from(NAMES)
_key = st.sampled_from(SCOPES)
_index = st.integers(0, 60)
_handler = st.sampled_from([None, "h", "h", "flow", "unknown"])
_input = st.sampled_from([None, None, 1, {"a": [1.0]}])
_maybe = st.booleans()
_how = st.sampled_from(["state", "patch"])
_THRESHOLD = timedelta(minutes=30)


class Machine(RuleBasedStateMachine):
    """Two processes do what they like; whatever they see is what the model says."""

    kind: ClassVar[str] = "sqlite"
    reached: ClassVar[Counter[str]] = Counter()
    room: ClassVar[Path | None] = None
    empty: ClassVar[Path | None] = None
    """A store without a checkpoint, to be copied: making one takes longer than a history."""

    @initialize(handler=_handler, given=_input)
    def begin(self, handler: str | None, given: Any) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=self.room))
        self.clock = QuietClock()
        self.gone: set[int] = set()
        self.count = 0
        self.oracle = Oracle(self.clock)
        self.oracle.known_handlers = frozenset(["h", "flow"])
        self.oracle.play = self._play
        self.script: Any = ()
        self.registry = holdfast.Registry()
        self.registry.handler("h", timeout=None)(self._handler)
        self.registry.workflow("flow")(self._handler)
        self.seen = 0
        self.is_sound = True
        self.looked_at = 0
        self.waiting_to_be_let_go: list[holdfast.Engine] = []
        self.processes = [self._open(), self._open()]
        self.handling: list[Process] = []
        self.carried: Session | None = None
        self.target = ""
        self._enter(0, "w", handler, {"input": given})

    def teardown(self) -> None:
        if not hasattr(self, "processes"):
            return
        try:
            if self.is_sound:
                self._reopen_and_compare()
        finally:
            for each in self.processes:
                each.engine.close()
            for engine in self.waiting_to_be_let_go:
                let_go(engine)
            shutil.rmtree(self.folder)
            type(self).reached.update(self.oracle.reached)
            type(self).reached["histories"] += 1

    # Both at once

    def both(self, real: Callable[[], Any], model: Callable[[], Any]) -> tuple[Any, Any] | None:
        """Do a thing for real and in the model; both give something, or both refuse alike."""
        self.oracle.reached["steps"] += 1
        self.is_sound = False
        given, error = None, None
        try:
            given = real()
        except (HoldfastError, ValueError) as raised:
            error = raised
        expected, refusal = None, None
        try:
            expected = model()
        except Refusal as refused:
            refusal = refused.name
        seen = type(error).__name__ if error is not None else None
        if seen != refusal and error is not None:
            raise AssertionError(f"expected {refusal or expected}, got {seen}") from error
        assert seen == refusal, f"expected {refusal}, got {given}"
        return None if refusal else (given, expected)

    def same_row(self, done: tuple[Any, Any] | None) -> None:
        """Hold a checkpoint that was given against the model's."""
        if done is not None:
            given, row = done
            assert (comparison.key_of(given.id), given.id.sequence) == (row.key, row.sequence)
            assert given.status.value == row.status

    # Processes

    def _open(self) -> Process:
        self.count += 1
        target = str(self.folder / "store.db")
        if self.kind == "json":
            target = f"json:{self.folder / 'store'}"
        elif self.count == 1 and self.empty is not None:
            shutil.copy(self.empty, target)
        return open_process(target, self.clock, self.count, self.gone, self.registry)

    def _die(self, slot: int, *, is_known: bool) -> None:
        self.is_sound = False
        dead = self.processes[slot]
        if is_known:
            self.gone.add(dead.actor.number)
            dead.actor.is_known_dead = True
        self.waiting_to_be_let_go.append(dead.engine)
        self.oracle.reached["crashed with a lease"] += bool(dead.actor.kept)
        self.processes[slot] = self._open()

    @rule(slot=_slot, is_known=_maybe)
    def crash(self, slot: int, is_known: bool) -> None:
        """A process ends without closing anything; another takes its place."""
        self._die(slot, is_known=is_known)

    def reboot(self) -> None:
        """The host is started again: every process is gone, and every lease is over."""
        self.clock.reboot()
        for slot in (0, 1):
            self._die(slot, is_known=False)

    def close(self, slot: int) -> None:
        """A process ends in good order: it gives up the leases of its runs."""
        self.is_sound = False
        ending = self.processes[slot]
        for session in list(ending.actor.kept):
            self.oracle.interrupt(session)
        ending.engine.close()
        self.processes[slot] = self._open()

    @rule(slot=_slot)
    def keep_leases(self, slot: int) -> None:
        self.is_sound = False
        self.oracle.tick(self.processes[slot].actor)
        tick(self.processes[slot].engine)

    @rule(seconds=st.sampled_from([1.0, 25.0, 61.0, 61.0, 1900.0, 90_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.is_sound = False
        self.clock.advance(seconds)

    def clock_is_set_back(self, seconds: float) -> None:
        self.is_sound = False
        self.clock.set_wall(self.oracle.now - timedelta(seconds=seconds))

    # Checkpoints by themselves

    def _named(self, pick: int) -> str:
        """Return a workflow, mostly one that is there."""
        known = [name for name, each in self.oracle.workflows.items() if each.head is not None]
        return known[pick % len(known)] if known and pick else (NAMES + FORKS)[self.count % 4]

    def _writer(self, slot: int, name: str) -> tuple[holdfast.Engine, Session | None]:
        process = self.processes[slot]
        return process.engine, process.actor.current.get(name)

    def _written(self, slot: int, name: str, key: Key, fields: dict[str, Any]) -> None:
        """A write beside a run is a sign of its life, and it sees the state."""
        session = self.processes[slot].actor.current.get(name)
        if session is not None:
            session.last_sign = self.oracle.uptime
            self.oracle.note_state(session, key, fields)

    def _save(
        self, slot: int, name: str, key: Key, type_: str, parent: Row | None, /, **fields: Any
    ) -> None:
        engine, session = self._writer(slot, name)
        stage, agent = (*key, None, None)[:2]
        given = {word: each for word, each in fields.items() if word != "handler"}
        if parent is not None:
            given["parent"] = comparison.checkpoint_id(name, parent)
        done = self.both(
            lambda: engine.checkpoint(
                name,
                type=type_,
                stage_id=stage,
                agent_id=agent,
                resume_handler=fields.get("handler"),
                **given,
            ),
            lambda: self.oracle.checkpoint(
                name,
                session,
                key,
                type_,
                parent=parent.sequence if parent is not None else None,
                **fields,
            ),
        )
        self.same_row(done)
        if done is not None:
            self._written(slot, name, key, fields)

    @rule(
        slot=_slot,
        pick=_pick,
        key=_key,
        how=_how,
        value=STATES,
        called=st.sampled_from([None, "n1", "n2"]),
        handler=_handler,
    )
    def save(
        self,
        slot: int,
        pick: int,
        key: Key,
        how: str,
        value: Any,
        called: str | None,
        handler: str | None,
    ) -> None:
        name = self._named(pick)
        fields = {how: value, "name": called, "handler": handler}
        self._save(slot, name, key, "progress", None, **fields)

    @rule(
        slot=_slot,
        name=_fresh,
        key=_key,
        given=_input,
        handler=_handler,
        max_retries=st.sampled_from([0, 1, 3]),
        state=st.none() | STATES,
    )
    def open_scope(
        self,
        slot: int,
        name: str,
        key: Key,
        given: Any,
        handler: str | None,
        max_retries: int,
        state: Any,
    ) -> None:
        fields = {"input": given, "handler": handler, "max_retries": max_retries, "state": state}
        self._save(slot, name, key, OPENING[len(key)], None, **fields)

    @rule(
        slot=_slot,
        pick=_pick,
        index=_index,
        key=_key,
        what=st.sampled_from(["progress", "open", "close", "error_state"]),
        handler=_handler,
        value=STATES,
    )
    def start_from_older(
        self,
        slot: int,
        pick: int,
        index: int,
        key: Key,
        what: str,
        handler: str | None,
        value: Any,
    ) -> None:
        name = self._named(pick)
        row = self._any_row(name, index)
        if row is None:
            return
        closing = ("workflow_complete", "stage_complete", "agent_complete")[len(key)]
        type_ = {"open": OPENING[len(key)], "close": closing}.get(what, what)
        fields = {"state": value} if what == "progress" else {}
        self._save(slot, name, key, type_, row, handler=handler, **fields)

    def _any_row(self, name: str, index: int) -> Row | None:
        rows = list(self.oracle.of(name).rows.values())
        return rows[-1 - index % len(rows)] if rows else None

    @rule(slot=_slot, pick=_pick, index=_index, output=VALUES, abandon=_maybe)
    def complete(self, slot: int, pick: int, index: int, output: Any, abandon: bool) -> None:
        name = self._named(pick)
        row = self._any_row(name, index)
        if row is None:
            return
        engine, session = self._writer(slot, name)
        given = comparison.checkpoint_id(name, row)

        def model() -> Row:
            self.oracle.find(name, row.sequence)
            return self.oracle.complete(name, session, row.key, output=output, abandon=abandon)

        done = self.both(lambda: engine.complete(given, output, abandon=abandon), model)
        self.same_row(done)
        if done is not None:
            self._written(slot, name, (), {})

    @rule(slot=_slot, pick=_pick, index=_index)
    def fail(self, slot: int, pick: int, index: int) -> None:
        name = self._named(pick)
        row = self._any_row(name, index)
        if row is None:
            return
        engine, session = self._writer(slot, name)
        given = comparison.checkpoint_id(name, row)

        def model() -> Row:
            self.oracle.find(name, row.sequence)
            return self.oracle.fail(name, session, row.key)

        done = self.both(lambda: engine.fail(given, "bad"), model)
        self.same_row(done)
        if done is not None:
            self._written(slot, name, (), {})

    def heartbeat(self, slot: int, name: str) -> None:
        engine, session = self._writer(slot, name)
        done = self.both(
            lambda: engine.heartbeat(workflow_id=name),
            lambda: self.oracle.heartbeat(name, session),
        )
        if done is not None:
            self._written(slot, name, (), {})

    # Runs

    @rule(
        slot=_slot,
        name=_fresh,
        handler=st.sampled_from([None, "h", "flow", "unknown"]),
        given=_input,
        state=st.none() | STATES,
        max_retries=st.sampled_from([0, 1, 3]),
    )
    def enter(
        self,
        slot: int,
        name: str,
        handler: str | None,
        given: Any,
        state: Any,
        max_retries: int,
    ) -> None:
        opening = {"input": given, "state": state, "max_retries": max_retries}
        self._enter(slot, name, handler, opening)

    def _enter(self, slot: int, name: str, handler: str | None, opening: dict[str, Any]) -> None:
        process = self.processes[slot]
        done = self.both(
            lambda: process.engine.run(name, handler=handler, **opening),
            lambda: self.oracle.enter(process.actor, name, handler, **opening),
        )
        if done is not None:
            run, session = done
            assert (run.epoch, run.attempt) == (session.epoch, session.number)
            assert run.is_completed == session.is_completed
            process.runs.append((run, session))

    def _runs(self) -> list[tuple[holdfast.Run, Session]]:
        return [each for process in self.processes for each in process.runs]

    @rule(
        index=st.integers(0, 3),
        steps=st.lists(STEPS, min_size=1, max_size=3),
        ends_waiting=st.sampled_from([True, True, False]),
    )
    @precondition(lambda self: self._runs())
    def run_on(self, index: int, steps: list[Any], ends_waiting: bool) -> None:
        runs = self._runs()
        run, session = found = runs[-1 - index % len(runs)]
        for step in steps:
            done = self.both(
                partial(really, run, step, self._others_really),
                partial(as_expected, self.oracle, session, step, self._others_as_expected),
            )
            if done is not None:
                assert typed(done[0]) == typed(done[1])
        assert typed(run.state) == typed(session.state)
        assert run.cancelled == (session.ended is not None and not session.is_completed)
        if session.waits and ends_waiting:
            self._leave(found, "wait")

    @rule(
        index=st.integers(0, 3),
        how=st.sampled_from(["return", "return", "raise", "interrupt", "wait"]),
    )
    @precondition(lambda self: self._runs())
    def leave(self, index: int, how: str) -> None:
        runs = self._runs()
        self._leave(runs[-1 - index % len(runs)], how)

    def _leave(self, found: tuple[holdfast.Run, Session], how: str) -> None:
        run, session = found
        for process in self.processes:
            if found in process.runs:
                process.runs.remove(found)
        if session.is_completed:
            run.__exit__(None, None, None)
            return
        error: BaseException | None = None
        if how == "interrupt":
            error = KeyboardInterrupt()
        elif how == "wait" and session.waits:
            error = holdfast.Waiting(session.workflow, "q", None)
        elif how in ("raise", "wait"):
            error = ValueError("told to")

        def model() -> Any:
            if error is None:
                return self.oracle.leave(session)
            if isinstance(error, KeyboardInterrupt):
                return self.oracle.interrupt(session)
            return self.oracle.leave_by(session, Refusal(type(error).__name__))

        self.both(lambda: run.__exit__(type(error) if error else None, error, None), model)

    # Handlers

    def _handler(self, run: holdfast.Run) -> Any:
        for step in self.script:
            really(run, step, self._others_really)
        return RETURNED

    def _play(self, session: Session, script: Any) -> Any:
        outer, self.carried = self.carried, session
        try:
            for step in script:
                as_expected(self.oracle, session, step, self._others_as_expected)
        finally:
            self.carried = outer
        return RETURNED

    def _other(self) -> Process:
        return next(each for each in self.processes if each is not self.handling[-1])

    def _others_really(self, what: str, rest: Any) -> None:
        """What happens to a workflow from outside, while its handler runs."""
        name, engine = self.target, self._other().engine
        own = self.handling[-1].engine
        match what:
            case "other cancels":
                _quietly(lambda: engine.cancel(workflow_id=name))
            case "other forces":
                script, self.script = self.script, ()
                _quietly(lambda: engine.recover(workflow_id=name, handler="h", force=True))
                self.script = script
            case "own engine saves":
                own.checkpoint(name, state=rest[0])
            case "own engine closes":
                own.complete(own.latest(workflow_id=name).id, abandon=True)

    def _others_as_expected(self, what: str, rest: Any) -> None:
        name, actor = self.target, self._other().actor
        match what:
            case "other cancels":
                _quietly(lambda: self.oracle.cancel(name))
            case "other forces":
                _quietly(lambda: self.oracle.recover(actor, name, (), (), handler="h", force=True))
            case "own engine saves":
                self.oracle.checkpoint(name, self.carried, (), "progress", state=rest[0])
                self._touched(rest[0])
            case "own engine closes":
                head = self.oracle.exists(name).head
                assert head is not None
                self.oracle.complete(name, self.carried, head.key, abandon=True)
                self._touched(None)

    def _touched(self, state: Any) -> None:
        if self.carried is not None:
            self.carried.last_sign = self.oracle.uptime
            self.oracle.note_state(self.carried, (), {"state": state})

    @rule(
        slot=_slot,
        pick=_pick,
        index=st.none() | _index,
        script=SCRIPTS,
        handler=st.sampled_from([None, None, "h", "unknown"]),
        force=_maybe,
    )
    def recover(
        self,
        slot: int,
        pick: int,
        index: int | None,
        script: Any,
        handler: str | None,
        force: bool,
    ) -> None:
        self._recover(slot, self._named(pick), index, script, handler, force=force)

    def _recover(
        self,
        slot: int,
        name: str,
        index: int | None,
        script: Any,
        handler: str | None,
        *,
        force: bool,
    ) -> None:
        process = self.processes[slot]
        row = self._any_row(name, index) if index is not None else None
        target: Any = {"workflow_id": name}
        if row is not None:
            target = {"id_or_workflow": comparison.checkpoint_id(name, row)}
        with _Handling(self, process, name, script):
            done = self.both(
                lambda: process.engine.recover(handler=handler, force=force, **target),
                lambda: self.oracle.recover(
                    process.actor,
                    name,
                    row.sequence if row is not None else (),
                    script,
                    handler=handler,
                    force=force,
                ),
            )
        if done is not None:
            given, result = done
            self._same_result(given, result)

    def _same_result(self, given: holdfast.RecoveryResult, result: Result) -> None:
        abandoned = frozenset(map(comparison.key_of, given.abandoned))
        seen = Result(given.outcome.value, given.output, abandoned, given.attempt)
        assert seen == result

    @rule(slot=_slot, name=_fresh, given=_input, script=SCRIPTS)
    def start(self, slot: int, name: str, given: Any, script: Any) -> None:
        self._start(slot, name, given, script)

    def _start(self, slot: int, name: str, given: Any, script: Any) -> None:
        process = self.processes[slot]
        with _Handling(self, process, name, script):
            done = self.both(
                lambda: process.engine.start("flow", workflow_id=name, input=given),
                lambda: self.oracle.start(process.actor, name, "flow", given, script),
            )
        if done is not None:
            assert typed(done[0]) == typed(done[1])

    @rule(
        slot=_slot,
        name=_fresh,
        script=SCRIPTS,
        value=VALUES,
        back=st.sampled_from([None, None, 4000.0]),
    )
    def a_whole_life(
        self, slot: int, name: str, script: Any, value: Any, back: float | None
    ) -> None:
        """What usually follows each other, in one go: started, answered, carried on elsewhere."""
        self._start(slot, name, None, script)
        for row, _, _ in self.oracle.open_waits(self.oracle.of(name)):
            self._answer(slot, name, row.key[0], value)
        if back is not None:
            self.clock_is_set_back(back)
        self._recover(1 - slot, name, None, script, None, force=False)

    # From outside

    @rule(slot=_slot, pick=_pick)
    def cancel(self, slot: int, pick: int) -> None:
        name = self._named(pick)
        engine = self.processes[slot].engine
        done = self.both(lambda: engine.cancel(workflow_id=name), lambda: self.oracle.cancel(name))
        assert done is None or done[0] == done[1]

    @rule(slot=_slot, pick=_pick)
    def retry(self, slot: int, pick: int) -> None:
        name = self._named(pick)
        engine = self.processes[slot].engine
        self.same_row(
            self.both(lambda: engine.retry(workflow_id=name), lambda: self.oracle.retry(name))
        )

    @rule(slot=_slot, pick=_pick, question=st.sampled_from(QUESTIONS), value=VALUES)
    def answer(self, slot: int, pick: int, question: str, value: Any) -> None:
        name = self._named(pick)
        asking = [each for each in self.oracle.workflows.values() if self.oracle.open_waits(each)]
        if asking and pick % 4:
            asked = asking[pick % len(asking)]
            name, (question, *_) = asked.name, self.oracle.open_waits(asked)[0][0].key
        self._answer(slot, name, question, value)

    def _answer(self, slot: int, name: str, question: str, value: Any) -> None:
        engine = self.processes[slot].engine
        done = self.both(
            lambda: engine.answer(name=question, value=value, workflow_id=name),
            lambda: self.oracle.answer(name, question, value),
        )
        self.same_row(done)

    @rule(slot=_slot, name=_fresh, index=_index, new=st.sampled_from(FORKS))
    def fork(self, slot: int, name: str, index: int, new: str) -> None:
        row = self._any_row(name, index)
        if row is None:
            return
        engine = self.processes[slot].engine
        done = self.both(
            lambda: engine.fork(comparison.checkpoint_id(name, row), new),
            lambda: self.oracle.may_fork(name, row.sequence, new),
        )
        if done is not None:
            comparison.adopt_fork(engine, self.oracle, (name, row), new)

    # Retention

    @rule(
        slot=_slot,
        pick=st.none() | _pick,
        keep=st.sampled_from([0, 1, 3]),
        days=st.sampled_from([None, None, 0.5]),
    )
    def purge(self, slot: int, pick: int | None, keep: int, days: float | None) -> None:
        name = self._named(pick) if pick is not None else None
        engine = self.processes[slot].engine
        max_age = timedelta(days=days) if days is not None else None
        done = self.both(
            lambda: engine.purge(workflow_id=name, keep=keep, max_age=max_age).checkpoints,
            lambda: self.oracle.purge(name, keep, max_age),
        )
        if done is not None:
            assert done[0] == done[1]
            self._compare_contexts(engine)

    def consolidate(self, slot: int, name: str) -> None:
        engine = self.processes[slot].engine
        self.both(lambda: engine.consolidate(workflow_id=name), lambda: self.oracle.exists(name))

    def delete(self, slot: int, name: str, force: bool) -> None:
        engine = self.processes[slot].engine
        done = self.both(
            lambda: engine.delete(workflow_id=name, force=force).checkpoints,
            lambda: self.oracle.delete(name, force),
        )
        assert done is None or done[0] == done[1]

    @rule(
        what=st.sampled_from(
            ["reboot", "close", "beat", "beat", "consolidate", "set back", "delete", "delete"]
        ),
        slot=_slot,
        pick=_pick,
        force=st.sampled_from([False, False, True]),
        seconds=st.sampled_from([20.0, 4000.0, 200_000.0]),
    )
    def what_is_rare(self, what: str, slot: int, pick: int, force: bool, seconds: float) -> None:
        match what:
            case "reboot":
                self.reboot()
            case "close":
                self.close(slot)
            case "beat":
                self.heartbeat(slot, self._named(pick))
            case "consolidate":
                self.consolidate(slot, self._named(pick))
            case "set back":
                self.clock_is_set_back(seconds)
            case _:
                self.delete(slot, self._named(pick), force)

    # Looking

    @invariant()
    def everything_is_as_expected(self) -> None:
        if not hasattr(self, "processes") or self.is_sound:
            return  # nothing was done
        self.looked_at += 1
        engine = self.processes[self.looked_at % 2].engine
        comparison.compare_lists(engine, self.oracle)
        comparison.compare_stale(engine, self.oracle, _THRESHOLD)
        self.seen = comparison.compare_events(engine, self.oracle, self.seen)
        for name, workflow in self.oracle.workflows.items():
            if workflow.head is not None:
                comparison.compare_context(engine, workflow, workflow.head)
                comparison.compare_plan(engine, self.oracle, name)
                kept = workflow.kept()
                comparison.compare_context(engine, workflow, kept[self.looked_at * 7 % len(kept)])
        self.is_sound = True

    def _compare_contexts(self, engine: holdfast.Engine) -> None:
        for workflow in self.oracle.workflows.values():
            for row in workflow.kept():
                comparison.compare_context(engine, workflow, row)

    def _reopen_and_compare(self) -> None:
        """What a process sees that comes later, and nothing of which it remembers."""
        late = self._open()
        try:
            comparison.compare_lists(late.engine, self.oracle)
            self._compare_contexts(late.engine)
            assert late.engine.verify().intact
        finally:
            late.engine.close()


class _Handling:
    """While a handler runs: who runs it, on what, and what it is to do."""

    def __init__(self, machine: Machine, process: Process, name: str, script: Any) -> None:
        self._machine, self._process = machine, process
        machine.target, machine.script = name, script

    def __enter__(self) -> None:
        self._machine.handling.append(self._process)

    def __exit__(self, *details: object) -> None:
        self._machine.handling.pop()


def _quietly(call: Callable[[], Any]) -> None:
    with contextlib.suppress(HoldfastError, Refusal):
        call()


class JsonMachine(Machine):
    """The same over a folder of JSON files."""

    kind = "json"
    reached: ClassVar[Counter[str]] = Counter()


__all__ = ["Actor", "JsonMachine", "Machine"]
