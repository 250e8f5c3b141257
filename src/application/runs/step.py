"""A step: run once, recorded, and not run again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Literal, get_args

from ...domain.error_record import ErrorRecord
from ...domain.errors import HoldfastError, InputChanged, InvalidRequest
from ...domain.json_value import JsonValue, canonical
from ...domain.payload import Payload
from ...domain.ports import Codec
from ...domain.retry import delay
from ...domain.scope import Scope
from ...domain.scope_record import ScopeRecord
from ...domain.wording import shorten
from ..commands.complete_checkpoint import CompleteCheckpoint, complete_checkpoint
from ..commands.create_checkpoint import CreateCheckpoint, create_checkpoint
from ..commands.fail_checkpoint import FailCheckpoint, fail_checkpoint
from ..environment import Environment
from ..scopes import opening_entry
from .flow import Call, Flow, Pause
from .session import Session

_INPUT_SHOWN = 200

ChangedInput = Literal["error", "rerun", "keep"]


@dataclass(frozen=True, slots=True)
class StepOptions:
    """How a step is run.

    Attributes:
        timeout: seconds that each try may take, and may be silent; ``None`` for no limit.
        retries: further tries within this attempt, after back-off, when it raises.
        changed_input: what happens when a finished step is asked with another input: an error,
            run again, or keep the recorded output.
    """

    timeout: float | None = None
    retries: int = 0
    changed_input: ChangedInput = "error"

    def __post_init__(self) -> None:
        if self.timeout is not None and not 0 < self.timeout < inf:
            raise InvalidRequest(f"timeout is {self.timeout}; give a finite number above 0")
        if type(self.retries) is not int or self.retries < 0:
            raise InvalidRequest(f"retries is {shorten(self.retries)}; give 0 or more")
        if self.changed_input not in get_args(ChangedInput):
            known = ", ".join(get_args(ChangedInput))
            raise InvalidRequest(
                f"changed_input is {shorten(self.changed_input)}, not one of {known}"
            )


@dataclass(frozen=True, slots=True)
class StepKit:
    """What every step of a run works with.

    Attributes:
        on_work: told of each step and agent whose work begins, its start being durable.
    """

    session: Session
    codec: Codec
    env: Environment
    on_work: Callable[[Scope], object] | None = None


def step(
    kit: StepKit,
    scope: Scope,
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    options: StepOptions,
) -> Flow[JsonValue]:
    """Run *function* and record what it returns, or return what is recorded.

    Its start is made durable before it runs, its output before it counts: a step that was opened
    and not closed runs again. The first run, too, returns the recorded form.
    """
    session = kit.session
    session.claim(scope)
    given = {"args": list(args), "kwargs": dict(kwargs)}
    asked = kit.codec.encode(given, f"input of {scope}")
    record = session.record(scope)
    changed = is_changed(record, given)
    if record.is_finished and not runs_again(scope, record, given, options.changed_input):
        return kit.codec.decode(kit.codec.encode(record.output, "output"))
    entry = opening_entry(scope, Payload(input=asked))
    credentials = session.credentials
    opening = CreateCheckpoint(entry, anew=changed, credentials=credentials)
    yield from session.write(create_checkpoint, opening)
    if kit.on_work is not None:
        kit.on_work(scope)
    try:
        value = yield from _try(
            kit, Call(str(scope), function, args, kwargs, options.timeout), options
        )
        output = kit.codec.encode(value, f"output of {scope}")
    except Exception as error:
        if not session.is_stopped_by(error):
            _note_origin(error, scope, given)
            failure = FailCheckpoint(scope, ErrorRecord.of(error), credentials)
            yield from session.write(fail_checkpoint, failure)
        raise
    closing = CompleteCheckpoint(scope, Payload(output=output), credentials=credentials)
    yield from session.write(complete_checkpoint, closing)
    return kit.codec.decode(output)


def _try(kit: StepKit, call: Call, options: StepOptions) -> Flow[Any]:
    """Call the function, again after an error where the options say so; return its value."""
    attempt = 1
    while True:
        try:
            with kit.session.may_be_silent(call.timeout):
                return (yield call)
        except Exception as error:
            if attempt > options.retries or kit.session.is_stopped_by(error):
                raise
        back_off = kit.env.back_off
        draw = kit.env.randomness.draw()
        yield Pause(delay(attempt, base=back_off.base, cap=back_off.cap, jitter=draw))
        kit.session.require_alive()
        attempt += 1


def _note_origin(error: Exception, scope: Scope, given: dict[str, Any]) -> None:
    """Let a traceback of the work's own error tell which step it was, and with what."""
    if isinstance(error, HoldfastError):
        return  # says so itself
    shown = canonical(given if given["kwargs"] else given["args"])
    if len(shown) > _INPUT_SHOWN:
        shown = f"{shown[: _INPUT_SHOWN - 1]}…"
    error.add_note(f"raised in {scope}, called with {shown}")


def is_changed(record: ScopeRecord, given: JsonValue) -> bool:
    """Whether a scope that was opened before is asked with another input now."""
    return record.opening is not None and canonical(record.input) != canonical(given)


def runs_again(
    scope: Scope, record: ScopeRecord, given: JsonValue, changed_input: ChangedInput
) -> bool:
    """Whether a finished scope is to run again; raises `InputChanged` where that is an error."""
    if changed_input == "keep" or not is_changed(record, given):
        return False
    if changed_input == "rerun":
        return True
    raise InputChanged(
        f"step {scope}",
        canonical(record.input),
        canonical(given),
        "give it another name, or say run.using(changed_input='rerun') or 'keep'",
    )
