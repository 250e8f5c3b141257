"""How scopes are opened, closed, failed and killed: the rules, in one place."""

from __future__ import annotations

from collections.abc import Iterable

from ..domain.checkpoint import Checkpoint
from ..domain.checkpoint_id import CheckpointId
from ..domain.checkpoint_status import CheckpointStatus
from ..domain.checkpoint_type import CLOSING, OPENING, CheckpointType
from ..domain.error_record import ErrorRecord
from ..domain.errors import IllegalTransition, ScopeOpen
from ..domain.payload import EMPTY, Payload, same_json
from ..domain.scope import Scope
from .scribe import Entry, Scribe

_SUMMARY_SHOWN = 500
_CLOSING_PURGED = "the checkpoint that closed it was purged; its output is in the context"


def open_scope(scribe: Scribe, entry: Entry, *, anew: bool = False) -> Checkpoint:
    """Return the checkpoint that stands for *entry*'s scope being open from now on.

    A new opening, or the one of an older epoch taken over without a second row. A scope that is
    finished stays so: its closing checkpoint is returned and nothing is written, unless *anew*.

    Raises:
        ScopeOpen: it is open within this epoch.
    """
    existing = opening_of(scribe, entry.scope)
    if existing is not None:
        if existing.status.is_in_flight and existing.epoch == scribe.epoch:
            raise ScopeOpen(
                entry.scope,
                [existing.id],
                f"{entry.scope} is open already: {existing.id} opened or took it over in this "
                f"epoch ({scribe.epoch}); complete or fail it first",
            )
        if not anew and _has_input(scribe, existing, entry.payload):
            return _take_over(scribe, existing, entry)
        kill_scopes(scribe, "opened anew with another input", entry.scope)
    elif not anew:
        end = end_of(scribe, entry.scope)
        if end is not None:
            return end
    return scribe.write(entry)


def close_scope(
    scribe: Scribe, entry: Entry, *, abandon: str | None = None, failed_only: bool = False
) -> tuple[Checkpoint, list[Scope]]:
    """Close *entry*'s scope; return its closing checkpoint and the scopes killed with it.

    Args:
        abandon: the reason for which scopes left open inside become ``killed``; ``None`` refuses
            to close around them. One that failed is killed for that.
        failed_only: abandon only those that failed, and refuse to close around others.

    Raises:
        ScopeOpen: scopes inside are open; names them.
        IllegalTransition: the scope failed, waits, or is closed already.
    """
    scope = entry.scope
    unfinished = scribe.uow.checkpoints.unfinished(scope.workflow_id)
    inside = [each for each in unfinished if scope.encloses(each.scope)]
    in_the_way = [
        each.scope
        for each in inside
        if abandon is None or (failed_only and each.status is not CheckpointStatus.FAILED)
    ]
    if in_the_way:
        raise ScopeOpen(scope, in_the_way)
    opening = next((each for each in unfinished if each.scope == scope), None)
    if opening is None:
        require_unfinished_scope(scribe, scope, CheckpointStatus.COMPLETED)
    for each in _innermost_first(inside):
        failure = each.error if each.status is CheckpointStatus.FAILED else None
        reason = failed_within(failure, scope) if failure else abandon or ""
        _kill(scribe, [each], reason)
    closing = scribe.write(entry)
    if opening is not None:
        opening.complete(scribe.at)
        opening.retry_count = 0
        scribe.save(opening)
    return closing, [each.scope for each in inside]


def kill_scopes(scribe: Scribe, reason: str, within: Scope) -> list[Scope]:
    """Kill every unfinished scope that is *within*, or is it; return them, the innermost first."""
    unfinished = scribe.uow.checkpoints.unfinished(within.workflow_id)
    doomed = [each for each in unfinished if each.scope == within or within.encloses(each.scope)]
    _kill(scribe, doomed, reason)
    return [each.scope for each in _innermost_first(doomed)]


def opening_of(scribe: Scribe, scope: Scope) -> Checkpoint | None:
    """Return the unfinished opening of *scope*, if it has one."""
    unfinished = scribe.uow.checkpoints.unfinished(scope.workflow_id)
    return next((each for each in unfinished if each.scope == scope), None)


def end_of(scribe: Scribe, scope: Scope) -> Checkpoint | None:
    """Return the checkpoint that closed *scope* in the chain, unless it was opened anew since."""
    last = last_of(scribe, scope)
    return last if last is not None and last.type.closes else None


def last_of(scribe: Scribe, scope: Scope) -> Checkpoint | None:
    """Return the newest checkpoint that opened or closed *scope* in the chain."""
    if scribe.head is None:
        return None
    last = scribe.uow.checkpoints.scope_last(scope, scribe.head)
    if last is None or not last.type.closes:
        _require_not_purged(scribe, scope, scribe.head)
    return last


def _require_not_purged(scribe: Scribe, scope: Scope, head: CheckpointId) -> None:
    """Raise when a scope is finished, and the checkpoint that closed it went with a purge."""
    if scribe.uow.retention.purged_at(scope.workflow_id) is None:
        return
    if scribe.uow.checkpoints.replay(head).record(scope).is_finished:
        raise IllegalTransition(scope, CheckpointStatus.COMPLETED, "written to", _CLOSING_PURGED)


def require_unfinished_scope(scribe: Scribe, scope: Scope, wanted: CheckpointStatus) -> None:
    """Raise `IllegalTransition` when a scope without an open opening was completed or killed."""
    last = last_of(scribe, scope)
    if last is not None and last.status.is_final:
        verb = "closed it" if last.type.closes else f"was killed ({last.reason})"
        raise IllegalTransition(scope, last.status, wanted, f"{last.id} {verb}")


def failed_within(error: ErrorRecord, scope: Scope) -> str:
    """Return the reason for which a scope whose failure was dealt with is killed."""
    summary = error.summary
    if len(summary) > _SUMMARY_SHOWN:
        summary = f"{summary[: _SUMMARY_SHOWN - 1]}…"
    return f"it failed ({summary}), and {scope} ended without it"


def opening_entry(scope: Scope, payload: Payload = EMPTY, **fields: object) -> Entry:
    """Return the entry that opens *scope*."""
    return Entry(scope, OPENING[scope.kind], payload, **fields)  # type: ignore[arg-type]


def closing_entry(scope: Scope, payload: Payload = EMPTY, name: str | None = None) -> Entry:
    """Return the entry that closes *scope*."""
    return Entry(scope, CLOSING[scope.kind], payload, name=name)


def error_entry(scope: Scope) -> Entry:
    """Return the entry that records a failure of *scope*."""
    return Entry(scope, CheckpointType.ERROR_STATE)


def _take_over(scribe: Scribe, existing: Checkpoint, entry: Entry) -> Checkpoint:
    existing.take_over(scribe.epoch, scribe.at)
    if existing.scope.kind == "workflow":
        existing.due_at = None  # it is carried on; a question keeps the time until which it waits
    scribe.save(existing)
    if entry.payload.changes_state:
        # There is no second opening, and what the caller saved with it must not get lost.
        state = Payload(state=entry.payload.state, patch=entry.payload.patch)
        scribe.write(Entry(entry.scope, CheckpointType.PROGRESS, state))
    return existing


def _has_input(scribe: Scribe, existing: Checkpoint, payload: Payload) -> bool:
    if payload.input is None:
        return True
    return same_json(payload.input, scribe.uow.checkpoints.payload(existing.id).input)


def _kill(scribe: Scribe, openings: Iterable[Checkpoint], reason: str) -> None:
    for opening in _innermost_first(openings):
        opening.kill(reason, scribe.at)
        scribe.save(opening)


def _innermost_first(openings: Iterable[Checkpoint]) -> list[Checkpoint]:
    return sorted(openings, key=lambda each: (-len(each.scope.lineage), each.id.sequence))
