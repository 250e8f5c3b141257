"""The tree of errors, their messages and their attributes."""

from __future__ import annotations

import inspect
import pickle
import re
import traceback
from datetime import UTC, datetime, timedelta

import pytest
from holdfast.domain import errors
from holdfast.domain.error_record import ErrorRecord
from holdfast.domain.errors import (
    AlreadyAnswered,
    AnsweredTooLate,
    AnswerRefused,
    Cancelled,
    ChainBroken,
    CheckpointCorrupted,
    CommandFailed,
    Damaged,
    DuplicateName,
    ExportDamaged,
    Fenced,
    ForeignRun,
    HandlerDied,
    HandlerFailed,
    HandlerNotFound,
    HoldfastError,
    IllegalTransition,
    InputChanged,
    InvalidConfiguration,
    InvalidId,
    InvalidRequest,
    LeaseHeld,
    NotAsked,
    NotAStore,
    NotFound,
    NotRecoverable,
    Purged,
    PurgeUnderWay,
    Refused,
    SchemaMismatch,
    SchemaTooNew,
    SchemaTooOld,
    ScopeOpen,
    StateNotSerializable,
    StateTooLarge,
    StorageUnavailable,
    StoreBusy,
    StoreClosed,
    StoreNotEmpty,
    TargetExists,
    TimedOut,
    Waiting,
)

NOON = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)

# Each error as it is raised, and what its message must say.
RAISED: list[tuple[HoldfastError, list[str]]] = [
    (InvalidId("stage_id", "a\nb", "no control characters"), ["stage_id", "'a\\nb'", "no control"]),
    (InvalidRequest("state and patch"), ["state and patch"]),
    (InvalidConfiguration(["a.toml:1: stor = 1"]), ["a.toml:1: stor = 1"]),
    (InvalidConfiguration(["a", "b"], ["k"]), ["2 mistakes in the configuration: (1) a; (2) b"]),
    (StateNotSerializable("state.a[0]", "set is not JSON"), ["state.a[0]: set is not JSON"]),
    (
        StateTooLarge("state", 20 << 20, 10 << 20, [("log", 15 << 20), ("notes", 9_000)]),
        ["state has 20.0 MiB", "limit is 10.0 MiB", "log (15.0 MiB), notes (9000 bytes)"],
    ),
    (NotFound("w@7"), ["w@7 does not exist"]),
    (NotFound("w1", ["w2", "w3"]), ["w1 does not exist; did you mean w2 or w3?"]),
    (Purged("checkpoint w@3", NOON), ["w@3", "purged at 2024-03-01"]),
    (
        PurgeUnderWay("crew.db", "process 7 on kelp", 3, NOON, NOON),
        ["crew.db", "process 7 on kelp", "since"],
    ),
    (HandlerNotFound("review", ["a", "b"]), ["'review'", "known: a, b", "--app"]),
    (HandlerNotFound("review", []), ["known: none"]),
    (
        HandlerNotFound("revew", [f"h{n:02}" for n in range(20)] + ["review"]),
        ["did you mean 'review'? known: review, h00, h01", "h08 and 11 more"],
    ),
    (Refused("no"), ["no"]),
    (IllegalTransition("w@1", "killed", "active", "retry it"), ["w@1 is killed", "active; retry"]),
    (IllegalTransition("w@1", "killed", "active"), ["w@1 is killed and cannot become active"]),
    (
        IllegalTransition("w", "killed", "written to", "retry it"),
        ["w is killed and cannot be written to; retry it"],
    ),
    (ScopeOpen("w/s", ["w/s/a"]), ["w/s cannot be closed", "w/s/a inside it is still", "abandon"]),
    (ScopeOpen("w/s", ["w/s/a", "w/s/b"]), ["w/s/a, w/s/b inside it are still open"]),
    (ScopeOpen("w/s", ["w/s@1"], "open already"), ["open already"]),
    (
        LeaseHeld("w", "process 7 on kelp", 3, NOON, NOON + timedelta(minutes=1)),
        ["w is being", "process 7 on kelp", "12:00:00", "epoch 3", "12:01:00", "force=True"],
    ),
    (Fenced("w", 3, "process 8 holds its lease"), ["w under epoch 3", "process 8 holds its lease"]),
    (
        InputChanged("step load", '{"a":1}', '{"a":2}', "use rerun"),
        ["step load", '{"a":1}', '{"a":2}', "use rerun"],
    ),
    (DuplicateName("w/load"), ["w/load is used twice"]),
    (NotRecoverable("w", ["it is held", "not due"]), ["w cannot be", "it is held; not due"]),
    (ForeignRun("w", 11, 22), ["run of w", "process 11", "process 22", "fork"]),
    (Waiting("w", "approval"), ["w waits", "'approval'", "answer with engine.answer"]),
    (Waiting("w", "approval", NOON), ["until 2024-03-01T12:00:00+00:00"]),
    (AnswerRefused("w", "n", "why"), ["'n' of w", "why"]),
    (NotAsked("w", "n", ["a", "b"]), ["'n' of w", "it waits for 'a', 'b'"]),
    (NotAsked("w", "n"), ["it waits for nothing"]),
    (AlreadyAnswered("w", "n"), ["'n' of w", "the first answer counts"]),
    (AnsweredTooLate("w", "n", NOON), ["'n' of w", "over at 2024-03-01T12:00:00+00:00"]),
    (TargetExists("a.jsonl"), ["a.jsonl is there already", "name another target"]),
    (StoreNotEmpty("a.db"), ["a.db holds something already", "into a new store"]),
    (ExportDamaged("a.jsonl", 7, "it ends here"), ["a.jsonl, line 7: it ends here", "imported"]),
    (ExportDamaged("a.db", 0, "no parent"), ["a.db: no parent"]),
    (Cancelled("w"), ["w was asked to stop"]),
    (
        TimedOut("handler review", "timed out after", 300.0),
        ["handler review timed out after 300 s"],
    ),
    (HandlerFailed("h", ErrorRecord("ValueError", "no luck")), ["ValueError: no luck"]),
    (HandlerDied("w", "h", 3), ["w: the process of 'h' ended with exit status 3 before it"]),
    (HandlerDied("w", "h", -9), ["was killed by SIGKILL"]),
    (HandlerDied("w", "h", -99), ["was killed by signal 99"]),
    (CommandFailed("w/s", ["sh", "-c"], 2), ["w/s: the command 'sh' ended with exit status 2"]),
    (CommandFailed("w", ["x"], 127, "was interrupted"), ["the command 'x' was interrupted"]),
    (Damaged("x"), ["x"]),
    (ChainBroken("w@9", "w@4"), ["w@9 cannot be rebuilt", "w@4 is missing", "restore a backup"]),
    (CheckpointCorrupted("w@9", "its digest does not match"), ["w@9 is damaged: its digest"]),
    (StorageUnavailable("disk I/O error"), ["disk I/O error"]),
    (StoreBusy("locked"), ["locked"]),
    (StoreClosed("crew.db"), ["crew.db is closed"]),
    (NotAStore("x.db is a folder"), ["x.db is a folder"]),
    (SchemaMismatch("crew.db", 1, 2), ["crew.db has schema 1", "writes 2"]),
    (SchemaTooNew("crew.db", 3, 2), ["crew.db has schema 3", "writes 2", "upgrade Holdfast"]),
    (SchemaTooOld("crew.db", 1, 2), ["crew.db has schema 1", "writes 2", "holdfast upgrade"]),
]


def all_errors(root: type[HoldfastError] = HoldfastError) -> list[type[HoldfastError]]:
    """Return *root* and everything below it in its module."""
    below = [each for child in root.__subclasses__() for each in all_errors(child)]
    return [each for each in [root, *below] if each.__name__ in vars(errors)]


def ids(values: list[tuple[HoldfastError, list[str]]]) -> list[str]:
    return [type(error).__name__ for error, _ in values]


@pytest.mark.parametrize(("error", "parts"), RAISED, ids=ids(RAISED))
def test_message_when_raised_then_it_says_what_happened_to_which_id_and_what_to_do(
    error: HoldfastError, parts: list[str]
) -> None:
    message = str(error)

    assert [part for part in parts if part not in message] == []
    assert "\n" not in message


def test_errors_when_one_is_added_then_the_table_above_has_it() -> None:
    assert {type(error) for error, _ in RAISED} == set(all_errors()) - {HoldfastError}


def test_tree_when_drawn_in_the_docstring_then_it_is_the_tree_of_the_classes() -> None:
    drawn: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^    ((?:[│├└─ ]{4})*)([A-Z]\w+)", line)
        if found:
            drawn.append((len(found[1]) // 4, found[2]))

    edges: set[tuple[str, str]] = set()
    path: list[str] = []
    for depth, name in drawn:
        path[depth:] = [name]
        if depth:
            edges.add((path[depth - 1], name))
    assert edges == {
        (base.__name__, each.__name__)
        for each in all_errors()
        for base in each.__bases__
        if issubclass(base, HoldfastError)
    }


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (InvalidId, ValueError),
        (InvalidRequest, ValueError),
        (StateNotSerializable, TypeError),
        (StateTooLarge, ValueError),
        (NotFound, LookupError),
        (TimedOut, TimeoutError),
    ],
)
def test_error_when_python_has_a_kind_for_it_then_it_is_also_of_that_kind(
    kind: type[HoldfastError], builtin: type[Exception]
) -> None:
    assert issubclass(kind, builtin)


# What is advice or wording, and no value that a caller would act on.
_WORDING = {"self", "args", "kwargs", "message", "advice", "problem", "now", "can_be_raised"}


@pytest.mark.parametrize(("error", "parts"), RAISED, ids=ids(RAISED))
def test_attributes_when_the_message_has_a_value_then_the_error_has_it_too(
    error: HoldfastError, parts: list[str]
) -> None:
    values = set(inspect.signature(type(error).__init__).parameters) - _WORDING

    assert sorted(name for name in values if not hasattr(error, name)) == []


@pytest.mark.parametrize(
    ("error", "attributes"),
    [
        (InvalidId("stage_id", 7, "rule"), {"what": "stage_id", "value": 7, "rule": "rule"}),
        (
            StateTooLarge("state", 9, 8, [("a", 1)]),
            {"what": "state", "size": 9, "limit": 8, "largest": (("a", 1),)},
        ),
        (
            HandlerNotFound("revew", ["review"]),
            {"handler": "revew", "known": ("review",), "suggestions": ("review",)},
        ),
        (StateNotSerializable("state.a", "p"), {"path": "state.a", "problem": "p"}),
        (
            IllegalTransition("w@1", "killed", "active", "x"),
            {"subject": "w@1", "current": "killed", "wanted": "active"},
        ),
        (
            Fenced("w", 3, "x", owner="me", since=NOON, present_epoch=4),
            {"resource": "w", "epoch": 3, "owner": "me", "since": NOON, "present_epoch": 4},
        ),
        (
            InputChanged("s", "1", "2", "x"),
            {"subject": "s", "recorded": "1", "asked": "2"},
        ),
        (DuplicateName(1), {"scope": "1"}),
        (ForeignRun("w", 1, 2), {"workflow_id": "w"}),
        (TargetExists("t"), {"target": "t"}),
        (StoreNotEmpty("s"), {"store": "s"}),
        (ExportDamaged("s", 7, "r"), {"source": "s", "line": 7, "reason": "r"}),
        (Cancelled("w"), {"workflow_id": "w"}),
        (NotFound("w", iter(["v"])), {"what": "w", "suggestions": ("v",)}),
        (
            HandlerNotFound("h", iter(["a"])),
            {"handler": "h", "known": ("a",), "what": "handler 'h'", "suggestions": ()},
        ),
        (ScopeOpen("w", iter([1, 2])), {"scope": "w", "open_scopes": ("1", "2")}),
        (NotRecoverable("w", iter(["a", "b"])), {"target": "w", "reasons": ("a", "b")}),
        (
            LeaseHeld("w", "me", 3, NOON, NOON),
            {"resource": "w", "owner": "me", "epoch": 3, "since": NOON, "until": NOON},
        ),
        (Waiting("w", "n", NOON), {"workflow_id": "w", "name": "n", "until": NOON}),
        (TimedOut("h", "after", 1.5), {"subject": "h", "seconds": 1.5}),
        (HandlerDied("w", "h", -9), {"subject": "w", "handler": "h", "exit_code": -9}),
        (CommandFailed("w", ["x", "y"], 2), {"command": ("x", "y"), "exit_code": 2}),
        (ChainBroken(1, 2), {"checkpoint": "1", "missing": "2"}),
        (CheckpointCorrupted(1, "p"), {"subject": "1", "problem": "p"}),
        (SchemaTooNew("t", 3, 2), {"found": 3, "supported": 2}),
        (StorageUnavailable("m"), {"outcome": "not written"}),
        (StoreBusy("m", outcome="unknown"), {"outcome": "unknown"}),
        (StoreClosed("t"), {"outcome": "not written"}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, HoldfastError) else "",
)
def test_attributes_when_read_then_they_are_the_values_of_the_message(
    error: HoldfastError, attributes: dict[str, object]
) -> None:
    assert {name: getattr(error, name) for name in attributes} == attributes


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("\ud800", "'\\ud800'"),
        ("a" * 118, "'" + "a" * 118 + "' is not valid"),
        ("a" * 500, "'" + "a" * 118 + "…"),
        (None, "None"),
        ("🦑", "\\U"),
    ],
)
def test_invalid_id_when_the_value_is_odd_then_the_message_can_still_be_printed(
    value: object, shown: str
) -> None:
    message = str(InvalidId("stage_id", value, "rule"))

    assert shown in message
    assert message.encode()
    assert len(message) < 200


def test_input_changed_when_inputs_are_long_then_both_are_shortened() -> None:
    error = InputChanged("step", "a" * 1000, "b" * 1000, "rerun it")

    assert len(str(error)) < 400
    assert error.recorded == "a" * 1000


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (9_999, "9999 bytes"),
        (10_000, "10 KiB"),
        (10_240, "10 KiB"),
        (1 << 20, "1024 KiB"),
        (10 << 20, "10.0 MiB"),
        (26_214_400, "25.0 MiB"),
    ],
)
def test_state_too_large_when_shown_then_sizes_are_in_a_fitting_unit(size: int, shown: str) -> None:
    assert f"state has {shown}," in str(StateTooLarge("state", size, 1, []))


@pytest.mark.parametrize("limit", [100, 20 << 10, 10 << 20])
def test_state_too_large_when_one_byte_over_then_the_two_sizes_read_differently(limit: int) -> None:
    message = str(StateTooLarge("state", limit + 1, limit, []))

    found = re.search(r"state has (.*), the limit is ([^.;]*(?:\.\d+ \w+)?)", message)

    assert found is not None
    assert found[1] != found[2]


def test_error_when_pickled_then_it_comes_back_whole() -> None:
    # Process pools hand errors on in this way: one that does not come back breaks the pool.
    broken = []
    for error, _ in RAISED:
        try:
            back = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
        except Exception:  # noqa: BLE001 - whatever goes wrong is what is looked for
            broken.append(type(error).__name__)
            continue
        if (str(back), vars(back)) != (str(error), vars(error)):
            broken.append(type(error).__name__)
    assert broken == []


def test_state_too_large_when_the_limit_can_be_raised_then_says_with_what() -> None:
    assert "Settings(max_state_bytes=…)" in str(StateTooLarge("state", 9, 8))
    assert "Settings" not in str(StateTooLarge("metadata", 9, 8, can_be_raised=False))


def test_traceback_when_an_error_is_printed_then_it_goes_by_its_public_name() -> None:
    text = "".join(traceback.format_exception_only(NotFound("w@7")))

    assert text == "holdfast.NotFound: w@7 does not exist; see what there is with engine.list(…)\n"
    assert pickle.loads(pickle.dumps(NotFound("w@7"))).what == "w@7"  # noqa: S301
