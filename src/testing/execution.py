"""One execution of a workflow under test, from opening its store to its end, or to its kill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from ..application.dispatcher import Dispatcher
from ..domain.errors import NotFound, Waiting
from ..domain.json_value import JsonObject, JsonValue
from ..domain.scope import Scope
from ..interface.engine import Engine
from ..interface.kernel import Kernel
from .kill_report import Side
from .ledger import Ledger
from .watched_store import Commit, WatchedStore

WORKFLOW_ID = "under-test"


@dataclass(frozen=True, slots=True)
class Execution:
    """What is to be executed; of JSON values, for it may go to another process.

    Attributes:
        answers: what the questions of the workflow are answered with, by name.
        kill_at: the commit to be killed at; 0 for none.
    """

    target: str
    ledger: str
    workflow: str
    input: JsonValue = None
    answers: JsonObject = field(default_factory=dict)
    kill_at: int = 0
    side: Side = "before"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an execution that was not killed ended.

    Attributes:
        context: what the chain adds up to, without what differs from run to run: ids and times.
        error: the type and the message of what was raised.
        in_doubt: the steps that were open when it began.
    """

    result: JsonValue = None
    context: JsonObject = field(default_factory=dict)
    error: str | None = None
    in_doubt: tuple[str, ...] = ()

    def to_dict(self) -> JsonObject:
        """Return its JSON form."""
        return asdict(self) | {"in_doubt": list(self.in_doubt)}

    @classmethod
    def from_dict(cls, form: JsonObject) -> Outcome:
        """Return the outcome with that JSON form."""
        return cls(**{**form, "in_doubt": tuple(form["in_doubt"])})


def execute(kernel: Kernel, execution: Execution, kill: Callable[[], NoReturn]) -> Outcome:
    """Start the workflow, or carry it on, and return how it ended; *kill* ends this at its moment.

    The kernel's store is not closed.
    """
    ledger = Ledger(Path(execution.ledger))
    try:
        engine = Engine(_watched(kernel, _Killer(execution, ledger, kill), ledger))
        return _outcome(engine, execution)
    finally:
        ledger.close()


def _outcome(engine: Engine, execution: Execution) -> Outcome:
    in_doubt = _in_doubt(engine)
    try:
        result = _start(engine, execution)
    except Exception as error:  # noqa: BLE001 - told to whoever compares
        notes = "".join(f" ({each})" for each in getattr(error, "__notes__", ()))
        return Outcome(error=f"{type(error).__name__}: {error}{notes}", in_doubt=in_doubt)
    return Outcome(result, _context(engine), in_doubt=in_doubt)


def _start(engine: Engine, execution: Execution) -> JsonValue:
    while True:
        try:
            return engine.start(execution.workflow, workflow_id=WORKFLOW_ID, input=execution.input)
        except Waiting as waiting:
            if waiting.name not in execution.answers:
                waiting.add_note(f"or give survives_kills answers={{{waiting.name!r}: …}}")
                raise
            answer = execution.answers[waiting.name]
            engine.answer(workflow_id=WORKFLOW_ID, name=waiting.name, value=answer)


def _in_doubt(engine: Engine) -> tuple[str, ...]:
    try:
        context = engine.context(workflow_id=WORKFLOW_ID)
    except NotFound:
        return ()
    return tuple(each.scope.key for each in context.interrupted if each.scope.key)


def _context(engine: Engine) -> JsonObject:
    form: dict[str, Any] = engine.context(workflow_id=WORKFLOW_ID).to_dict()
    return {name: form[name] for name in ("workflow_state", "stages", "agents", "outputs")}


def _watched(kernel: Kernel, killer: _Killer, ledger: Ledger) -> Kernel:
    store: Any = WatchedStore(kernel.store, killer)
    dispatcher = Dispatcher(store, kernel.env, kernel.dispatcher.redact)
    # The keepers stay on the store itself: a renewed lease is not the workflow's doing.

    def on_work(scope: Scope) -> None:
        ledger.note_work(scope.key)

    return replace(kernel, store=store, dispatcher=dispatcher, on_work=on_work)


class _Killer:
    """Ends the execution in the commit that it is to be killed at."""

    def __init__(self, execution: Execution, ledger: Ledger, kill: Callable[[], NoReturn]) -> None:
        self._execution = execution
        self._ledger = ledger
        self._kill = kill

    def before(self, commit: Commit) -> None:
        self._ledger.note_commit(commit)
        self._kill_if("before", commit)

    def after(self, commit: Commit) -> None:
        self._kill_if("after", commit)

    def _kill_if(self, side: Side, commit: Commit) -> None:
        if (commit.number, side) == (self._execution.kill_at, self._execution.side):
            self._kill()
