"""Every error that Holdfast raises on purpose.

::

    HoldfastError
    ├── InvalidId                an id, or a part of one, that cannot be one
    ├── InvalidRequest           a call that contradicts itself (also a ValueError)
    │   └── InvalidConfiguration a file or a variable that cannot be, with all that is wrong
    ├── StateNotSerializable     a value that JSON cannot hold, with the path to it
    ├── StateTooLarge            a value over the limit, with both sizes
    ├── NotFound                 no such checkpoint or workflow
    │   ├── Purged               it went with a purge, and the store remembers when
    │   └── HandlerNotFound      no such handler in this program
    ├── Refused                  understood, possible, and not allowed as things stand
    │   ├── IllegalTransition    the checkpoint's state does not allow it
    │   ├── ScopeOpen            something inside the scope is still open
    │   ├── LeaseHeld            somebody else is carrying the workflow on
    │   │   └── PurgeUnderWay    somebody else is purging the store
    │   ├── Fenced               the lease that this write relied on is gone
    │   ├── InputChanged         a finished step, or a workflow, asked with another input
    │   ├── DuplicateName        one name used twice in one attempt
    │   ├── NotRecoverable       nothing was run, for every reason listed
    │   ├── ForeignRun           a run used in a process that did not open it
    │   ├── Waiting              the run waits for an answer and has given its lease up
    │   ├── AnswerRefused        an answer that comes too late, or to what nobody asked
    │   │   ├── NotAsked         the workflow does not wait for it
    │   │   ├── AlreadyAnswered  somebody else was first
    │   │   └── AnsweredTooLate  its time was over
    │   ├── TargetExists         something is where an export was to be written
    │   ├── StoreNotEmpty        an import into a store that holds something
    │   └── Cancelled            somebody asked the run to stop
    ├── TimedOut                 a handler, or a step, exceeded its time
    ├── HandlerFailed            a handler raised, in a process of its own
    ├── HandlerDied              a handler's own process ended without a word
    ├── CommandFailed            a command ended with another exit status than 0
    ├── Damaged                  stored data is not what was written
    │   ├── ChainBroken          an ancestor that is needed is missing
    │   ├── CheckpointCorrupted  a digest does not match
    │   └── ExportDamaged        an export that was cut short or edited, with the line
    └── StorageUnavailable       the store could not be read or written
        ├── StoreBusy            somebody else held the store's lock for too long
        ├── StoreClosed          the engine was closed before this call
        ├── NotAStore            the path holds something that is not a Holdfast store
        └── SchemaMismatch       the store has another schema than this version of Holdfast
            ├── SchemaTooNew     it was written by a newer version
            └── SchemaTooOld     it has to be upgraded first

A message says what happened, to which id, and what to do; the same values are attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .advice import OPEN_ANEW, SEE_CHECKPOINTS, SEE_WORKFLOWS, answer_with
from .wording import ending_of, known_names, near_names, shorten, shorten_text, size_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from .error_record import ErrorRecord


# What a scope can become; anything else is done to it.
_STATES = ("active", "completed", "failed", "recovering", "waiting", "killed")


class HoldfastError(Exception):
    """The root of the tree: ``except HoldfastError`` catches whatever Holdfast raises.

    ``advice`` is the part of the message that says what to do, where it can be told apart.
    ``recorded_as`` is what is recorded of it, where it was raised in another process.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     try:
    ...         engine.latest("nightly")
    ...     except holdfast.HoldfastError as error:
    ...         print(type(error).__name__, error)
    NotFound workflow nightly does not exist; see what there is with engine.workflows(…)
    """

    advice = ""
    recorded_as: ErrorRecord | None = None

    def __reduce__(self) -> tuple[object, ...]:
        # Pickled by message and attributes: the default calls a subclass with the message alone,
        # and an error that cannot be unpickled breaks the pool of processes that it passes through.
        return _restored, (type(self), self.args), self.__dict__


class InvalidId(HoldfastError, ValueError):
    """An id, or a part of one, that cannot be one."""

    def __init__(self, what: str, value: object, rule: str) -> None:
        self.what = what
        self.value = value
        self.rule = rule
        super().__init__(f"{what} {shorten(value)} is not valid: {rule}")


class InvalidRequest(HoldfastError, ValueError):
    """A call that contradicts itself; nothing was written."""


class InvalidConfiguration(InvalidRequest):
    """Something in the configuration cannot be; nothing was done.

    Attributes:
        mistakes: one text each: where it stands, the key, the value, what is allowed.
        keys: the keys that they are about.
    """

    def __init__(self, mistakes: Sequence[str], keys: Sequence[str] = ()) -> None:
        self.mistakes = tuple(mistakes)
        self.keys = tuple(keys)
        count = len(self.mistakes)
        text = "; ".join(f"({number}) {each}" for number, each in enumerate(self.mistakes, 1))
        super().__init__(
            self.mistakes[0] if count == 1 else f"{count} mistakes in the configuration: {text}"
        )


class StateNotSerializable(HoldfastError, TypeError):
    """A value that JSON cannot hold; nothing was written."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}")


class StateTooLarge(HoldfastError, ValueError):
    """A value over the limit; nothing was written. Sizes in bytes of JSON text.

    ``at_least`` says that ``size`` is a lower bound: the value was not walked to its end.
    """

    def __init__(
        self,
        what: str,
        size: int,
        limit: int,
        largest: Sequence[tuple[str, int]] = (),
        *,
        at_least: bool = False,
        can_be_raised: bool = True,
    ) -> None:
        self.what = what
        self.size = size
        self.limit = limit
        self.largest = tuple(largest)
        self.at_least = at_least
        parts = ", ".join(f"{key} ({size_of(n)})" for key, n in self.largest)
        sizes = [size_of(size), size_of(limit)]
        if sizes[0] == sizes[1]:
            sizes = [f"{size:,} bytes", f"{limit:,} bytes"]
        super().__init__(
            f"{what} has {'at least ' if at_least else ''}{sizes[0]}, the limit is {sizes[1]}"
            + (f"; largest: {parts}" if parts else "")
            + ". Keep large data outside and its name in the state"
            + (", or raise the limit with Settings(max_state_bytes=…)" if can_be_raised else "")
        )


class NotFound(HoldfastError, LookupError):
    """No such checkpoint or workflow."""

    def __init__(self, what: str, suggestions: Iterable[str] = ()) -> None:
        self.what = what
        self.suggestions = tuple(suggestions)
        if self.suggestions:
            super().__init__(
                f"{what} does not exist; did you mean {' or '.join(self.suggestions)}?"
            )
            return
        self.advice = SEE_WORKFLOWS if what.startswith("workflow ") else SEE_CHECKPOINTS
        super().__init__(f"{what} does not exist; {self.advice}")


class Purged(NotFound):
    """It was there, and went with a purge or a delete, at ``at``."""

    def __init__(self, what: str, at: datetime) -> None:
        self.what = what
        self.at = at
        self.suggestions = ()
        HoldfastError.__init__(
            self,
            f"{what} is not there any more: it was purged at {at.isoformat()}; a backup or an "
            "export from before then has it",
        )


class HandlerNotFound(NotFound):
    """No such handler in this program."""

    def __init__(self, handler: str, known: Iterable[str]) -> None:
        self.handler = handler
        self.known = tuple(known)
        self.what = f"handler {handler!r}"
        self.suggestions = near_names(handler, self.known)
        HoldfastError.__init__(
            self,
            f"no handler named {handler!r} is registered here ({known_names(handler, self.known)});"
            " register it with @app.handler or @app.workflow, or name the program that does with "
            "--app",
        )


class Refused(HoldfastError):
    """Understood, possible, and not allowed as things stand; nothing was written."""


class IllegalTransition(Refused):
    """A change of state that the transition table does not have.

    ``wanted`` is the state that was asked for, or what was to be done with the scope: to be
    ``"written to"``, say.
    """

    def __init__(self, subject: object, current: str, wanted: str, advice: str = "") -> None:
        self.subject = subject
        self.current = current
        self.wanted = wanted
        self.advice = advice
        become = "become" if wanted in _STATES else "be"
        super().__init__(
            f"{subject} is {current} and cannot {become} {wanted}"
            + (f"; {advice}" if advice else "")
        )


class ScopeOpen(Refused):
    """A scope cannot be closed, or opened again, as long as the named ones are open."""

    def __init__(self, scope: object, open_scopes: Iterable[object], message: str = "") -> None:
        self.scope = scope
        self.open_scopes = tuple(str(each) for each in open_scopes)
        self.advice = (
            "" if message else "close them first, or pass abandon=True to close them as killed"
        )
        super().__init__(
            message
            or f"{scope} cannot be closed: {', '.join(self.open_scopes)} inside it "
            f"{'is' if len(self.open_scopes) == 1 else 'are'} still open; {self.advice}"
        )


class LeaseHeld(Refused):
    """Somebody else is carrying the workflow on."""

    def __init__(
        self, resource: str, owner: str, epoch: int, since: datetime, until: datetime
    ) -> None:
        self.resource = resource
        self.owner = owner
        self.epoch = epoch
        self.since = since
        self.until = until
        self.advice = "wait for it to end, or take it over with engine.recover(…, force=True)"
        super().__init__(
            f"{resource} is being carried on by {owner} since {since.isoformat()} (epoch {epoch}, "
            f"lease until {until.isoformat()}); {self.advice}"
        )


class PurgeUnderWay(LeaseHeld):
    """Somebody else is purging the store; nothing was purged by this call."""

    def __init__(
        self, resource: str, owner: str, epoch: int, since: datetime, until: datetime
    ) -> None:
        self.resource = resource
        self.owner = owner
        self.epoch = epoch
        self.since = since
        self.until = until
        self.advice = "it does the same work: let it come to its end"
        HoldfastError.__init__(
            self, f"{resource} is being purged by {owner} since {since.isoformat()}; {self.advice}"
        )


class Fenced(Refused):
    """The lease that this write relied on is gone; nothing was written.

    ``owner``, ``since`` and ``present_epoch`` tell who holds it now; ``owner`` is ``None`` when
    nobody does.
    """

    def __init__(
        self,
        resource: str,
        epoch: int,
        now: str,
        *,
        owner: str | None = None,
        since: datetime | None = None,
        present_epoch: int | None = None,
    ) -> None:
        self.resource = resource
        self.epoch = epoch
        self.owner = owner
        self.since = since
        self.present_epoch = present_epoch
        super().__init__(
            f"the write to {resource} under epoch {epoch} is refused: {now}; stop this run, the "
            "newer owner's word counts"
        )


class InputChanged(Refused):
    """A finished step, or a workflow, is asked with another input than it was run with."""

    def __init__(self, subject: str, recorded: str, asked: str, advice: str) -> None:
        self.subject = subject
        self.recorded = recorded
        self.asked = asked
        super().__init__(
            f"{subject} was recorded with the input {shorten_text(recorded)} and is now asked "
            f"with {shorten_text(asked)}; {advice}"
        )


class DuplicateName(Refused):
    """One name is used twice in one attempt."""

    def __init__(self, scope: object) -> None:
        self.scope = str(scope)
        super().__init__(
            f"{scope} is used twice in one attempt; steps and agents are known by name: give each "
            "its own, in a map with key="
        )


class NotRecoverable(Refused):
    """Nothing was run; ``reasons`` has every reason, not only the first.

    ``killed`` says that the attempt to carry it on has closed it: its retries were used up.
    """

    def __init__(
        self, target: str, reasons: Iterable[str], *, killed: bool = False, advice: str = ""
    ) -> None:
        self.target = target
        self.reasons = tuple(reasons)
        self.killed = killed
        self.advice = advice
        why = "was closed as killed" if killed else "cannot be recovered now"
        super().__init__(
            f"{target} {why}: {'; '.join(self.reasons)}" + (f"; {advice}" if advice else "")
        )


class ForeignRun(Refused):
    """A run is used in a process that did not open it (it was carried through a fork)."""

    def __init__(self, workflow_id: str, opened_in: int, used_in: int) -> None:
        self.workflow_id = workflow_id
        self.opened_in = opened_in
        self.used_in = used_in
        super().__init__(
            f"the run of {workflow_id} was opened in process {opened_in} and is used in process "
            f"{used_in}; a run does not pass through a fork, open one where it is used"
        )


class Waiting(Refused):
    """The run waits for an answer and gives its lease up; let this end the attempt."""

    def __init__(self, workflow_id: str, name: str, until: datetime | None = None) -> None:
        self.workflow_id = workflow_id
        self.name = name
        self.until = until
        self.advice = answer_with(workflow_id, name)
        due = f" until {until.isoformat()}" if until else ""
        super().__init__(f"{workflow_id} waits for an answer to {name!r}{due}; {self.advice}")


class AnswerRefused(Refused):
    """An answer that comes too late, or to what nobody asked; nothing was written."""

    def __init__(self, workflow_id: str, name: str, problem: str) -> None:
        self.workflow_id = workflow_id
        self.name = name
        super().__init__(f"the answer to {name!r} of {workflow_id} is refused: {problem}")


class NotAsked(AnswerRefused):
    """The workflow does not wait for that; ``asked`` is what it waits for."""

    def __init__(self, workflow_id: str, name: str, asked: Iterable[str] = ()) -> None:
        self.asked = tuple(asked)
        waits = ", ".join(map(repr, self.asked)) or "nothing"
        problem = f"that is not asked, or not yet (it waits for {waits})"
        super().__init__(workflow_id, name, problem)


class AlreadyAnswered(AnswerRefused):
    """Somebody else was first, and the first wins."""

    def __init__(self, workflow_id: str, name: str) -> None:
        super().__init__(workflow_id, name, "it was answered already; the first answer counts")


class AnsweredTooLate(AnswerRefused):
    """Its time was over; the run goes on without an answer."""

    def __init__(self, workflow_id: str, name: str, due_at: datetime | None = None) -> None:
        self.due_at = due_at
        when = f" at {due_at.isoformat()}" if due_at else ""
        problem = f"its time was over{when}; the run goes on without an answer"
        super().__init__(workflow_id, name, problem)


class TargetExists(Refused):
    """Something is where an export was to be written; it was not touched."""

    advice = "nothing is overwritten: name another target, or move it away"

    def __init__(self, target: object) -> None:
        self.target = str(target)
        super().__init__(f"{target} is there already; {self.advice}")


class StoreNotEmpty(Refused):
    """An import into a store that holds something: numbers and epochs would not be as they were."""

    advice = "import into a new store"

    def __init__(self, store: str) -> None:
        self.store = store
        super().__init__(f"{store} holds something already; {self.advice}")


class Cancelled(Refused):
    """Somebody asked the run to stop; let this end the attempt."""

    def __init__(self, workflow_id: str) -> None:
        self.workflow_id = workflow_id
        self.advice = f"to go on after all, {OPEN_ANEW}"
        super().__init__(
            f"{workflow_id} was asked to stop; its open scopes become killed; {self.advice}"
        )


class TimedOut(HoldfastError, TimeoutError):
    """A handler, or a step, exceeded its time or was silent for too long. In seconds."""

    def __init__(self, subject: str, problem: str, seconds: float) -> None:
        self.subject = subject
        self.seconds = seconds
        self.advice = (
            "give signs of life with run.heartbeat(), or allow more with silence="
            if "silent" in problem
            else "allow more with timeout=, or let it do less"
        )
        super().__init__(f"{subject} {problem} {seconds:g} s; {self.advice}")


class HandlerFailed(HoldfastError):
    """A handler raised, in a process of its own; ``record`` is what is recorded of that."""

    def __init__(self, handler: str, record: ErrorRecord) -> None:
        self.handler = handler
        self.record = record
        super().__init__(f"handler {handler!r} raised {record.summary}")


class HandlerDied(HoldfastError):
    """A handler's own process ended before it returned.

    ``exit_code`` is what it ended with, negative for a signal.
    """

    def __init__(self, subject: str, handler: str, exit_code: int | None) -> None:
        self.subject = subject
        self.handler = handler
        self.exit_code = exit_code
        self.advice = "what it printed last is in engine.attempts(…)"
        super().__init__(
            f"{subject}: the process of {handler!r} {ending_of(exit_code)} before it returned; "
            f"{self.advice}"
        )


class CommandFailed(HoldfastError):
    """A command ended with another exit status than 0."""

    def __init__(
        self, subject: str, command: Sequence[str], exit_code: int, problem: str = ""
    ) -> None:
        self.subject = subject
        self.command = tuple(command)
        self.exit_code = exit_code
        super().__init__(f"{subject}: the command {command[0]!r} {problem or ending_of(exit_code)}")


class Damaged(HoldfastError):
    """Stored data is not what was written."""


class ChainBroken(Damaged):
    """An ancestor that is needed is missing."""

    def __init__(self, checkpoint: object, missing: object) -> None:
        self.checkpoint = str(checkpoint)
        self.missing = str(missing)
        super().__init__(
            f"the context of {checkpoint} cannot be rebuilt: its ancestor {missing} is missing; "
            "recover from an older checkpoint, or restore a backup"
        )


class CheckpointCorrupted(Damaged):
    """A stored row is not what was written: a digest does not match."""

    def __init__(self, subject: object, problem: str, advice: str = "") -> None:
        self.subject = str(subject)
        self.problem = problem
        self.advice = advice or (
            "recovery falls back to its newest intact ancestor, restore a backup to get it back"
        )
        super().__init__(f"{subject} is damaged: {problem}; {self.advice}")


class ExportDamaged(Damaged):
    """An export that was cut short or edited, or is none; nothing of it was imported.

    ``line`` counts from 1, after decompression; 0 where it is not about a line.
    """

    advice = "get a whole copy of it, or export again; nothing was imported"

    def __init__(self, source: object, line: int, reason: str) -> None:
        self.source = str(source)
        self.line = line
        self.reason = reason
        where = f"{source}, line {line}" if line else str(source)
        super().__init__(f"{where}: {reason}; {self.advice}")


class StorageUnavailable(HoldfastError):
    """The store could not be read or written.

    ``outcome`` is ``"not written"``, or ``"unknown"`` where a commit failed in a way that leaves
    open whether it will be found after reopening.
    """

    def __init__(self, message: str, *, outcome: str = "not written") -> None:
        self.outcome = outcome
        super().__init__(message)


class StoreBusy(StorageUnavailable):
    """Somebody else held the store's lock for too long."""


class StoreClosed(StorageUnavailable):
    """The engine was closed before this call."""

    def __init__(self, target: str) -> None:
        self.target = target
        super().__init__(f"the engine on {target} is closed; open another one")


class NotAStore(StorageUnavailable):
    """The path holds something that is not a Holdfast store; it was not touched."""


class SchemaMismatch(StorageUnavailable):
    """The store has another schema than this version of Holdfast; nothing was touched."""

    def __init__(self, target: str, found: int, supported: int) -> None:
        self.target = target
        self.found = found
        self.supported = supported
        super().__init__(
            f"{target} has schema {found}, this version of Holdfast writes {supported}: "
            f"{self.advice}"
        )


class SchemaTooNew(SchemaMismatch):
    """The store was written by a newer version of Holdfast; nothing was touched."""

    advice = "upgrade Holdfast, or open a backup made before the upgrade"


class SchemaTooOld(SchemaMismatch):
    """The store has to be upgraded first; reading never does that."""

    advice = "run `holdfast upgrade`, or open it for writing once"


def _restored(kind: type[HoldfastError], args: tuple[object, ...]) -> HoldfastError:
    error = kind.__new__(kind)
    error.args = args
    return error


# In tracebacks each goes by the name that users import and catch it by.
for _found in list(globals().values()):
    if isinstance(_found, type) and issubclass(_found, HoldfastError):
        _found.__module__ = __name__.partition(".")[0]
