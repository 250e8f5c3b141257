"""What a chain adds up to, rule by rule; a plain model of all rules stands in tests/property."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.json_value import JsonObject
from holdfast.domain.replay import Change, Replay
from holdfast.domain.scope import Scope

T = CheckpointType
START = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
W = Scope("w")
S = Scope("w", "s")
S2 = Scope("w", "s2")
A = Scope("w", "s", "a")
B = Scope("w", "s", "b")


@dataclass
class Chain:
    """A chain as it is written, one checkpoint a minute, and what it adds up to."""

    replay: Replay = field(default_factory=Replay)
    sequence: int = 0

    def write(
        self,
        type_: CheckpointType,
        scope: Scope,
        *,
        state: JsonObject | None = None,
        patch: JsonObject | None = None,
        input: Any = None,
        output: Any = None,
        **fields: Any,
    ) -> Chain:
        self.sequence += 1
        at = START + timedelta(minutes=self.sequence)
        checkpoint_id = CheckpointId.of(scope, self.sequence)
        status = CheckpointStatus.COMPLETED
        checkpoint = Checkpoint(checkpoint_id, type_, status, at, at, **fields)
        self.replay.apply(Change(checkpoint, state, patch, input, output))
        return self

    def open_scopes(self) -> list[Scope]:
        return [scope for scope, _ in self.replay.open_scopes()]

    def finished(self) -> list[Scope]:
        return [scope for scope, _ in self.replay.finished()]


@pytest.fixture
def chain() -> Chain:
    return Chain()


def test_state_when_replaced_then_nothing_of_the_old_one_is_left(chain: Chain) -> None:
    chain.write(T.PROGRESS, W, state={"a": 1, "b": 2})
    chain.write(T.PROGRESS, W, state={"c": 3})

    assert chain.replay.record(W).state == {"c": 3}


def test_state_when_replaced_by_an_empty_one_then_it_is_empty(chain: Chain) -> None:
    chain.write(T.PROGRESS, W, state={"a": 1})
    chain.write(T.PROGRESS, W, state={})

    assert chain.replay.record(W).state == {}


def test_state_when_patched_then_it_merges_and_null_removes(chain: Chain) -> None:
    chain.write(T.PROGRESS, W, state={"a": {"x": 1, "y": 2}, "b": 1})
    chain.write(T.PROGRESS, W, patch={"a": {"x": None, "z": 3}, "b": None, "c": [1]})

    assert chain.replay.record(W).state == {"a": {"y": 2, "z": 3}, "c": [1]}


def test_state_when_patched_before_it_was_set_then_the_patch_merges_into_nothing(
    chain: Chain,
) -> None:
    chain.write(T.PROGRESS, S, patch={"a": {"b": None, "c": 1}})

    assert chain.replay.record(S).state == {"a": {"c": 1}}


@pytest.mark.parametrize("other", [W, S2, A, B, Scope("w", "a")])
def test_state_when_one_scope_writes_then_no_other_sees_it(chain: Chain, other: Scope) -> None:
    chain.write(T.PROGRESS, S, state={"mine": 1})
    chain.write(T.PROGRESS, other, state={"theirs": 2})
    chain.write(T.PROGRESS, S, patch={"more": 3})

    assert chain.replay.record(S).state == {"mine": 1, "more": 3}
    assert chain.replay.record(other).state == {"theirs": 2}


def test_state_when_two_write_the_workflow_then_the_later_one_wins(chain: Chain) -> None:
    chain.write(T.PROGRESS, W, patch={"by": "first", "one": 1})
    chain.write(T.PROGRESS, W, patch={"by": "second", "two": 2})

    assert chain.replay.record(W).state == {"by": "second", "one": 1, "two": 2}


@pytest.mark.parametrize("type_", [T.STAGE_START, T.STAGE_COMPLETE, T.PROGRESS, T.SYNC_BARRIER])
def test_state_when_any_type_carries_one_then_it_counts(
    chain: Chain, type_: CheckpointType
) -> None:
    chain.write(type_, S, state={"a": 1})

    assert chain.replay.record(S).state == {"a": 1}


def test_state_when_a_scope_is_opened_again_then_it_goes_on_from_where_it_was(
    chain: Chain,
) -> None:
    chain.write(T.STAGE_START, S, state={"a": 1}).write(T.STAGE_COMPLETE, S)
    chain.write(T.STAGE_START, S, patch={"b": 2})

    assert chain.replay.record(S).state == {"a": 1, "b": 2}


def test_apply_when_it_merges_then_the_given_objects_are_not_changed(chain: Chain) -> None:
    state = {"a": {"b": 1}}
    patch = {"a": {"c": 2}}

    chain.write(T.PROGRESS, W, state=state).write(T.PROGRESS, W, patch=patch)

    assert (state, patch) == ({"a": {"b": 1}}, {"a": {"c": 2}})


def test_open_when_nothing_closed_it_then_it_is_open_with_its_input(chain: Chain) -> None:
    chain.write(T.WORKFLOW_START, W, input={"root": "src"}, name="Nightly")
    chain.write(T.STAGE_START, S, kind="parallel")

    record = chain.replay.record(W)

    assert chain.open_scopes() == [W, S]
    assert (record.input, record.title) == ({"root": "src"}, "Nightly")
    assert record.since == START + timedelta(minutes=1)
    assert record.opening == CheckpointId("w", None, None, 1)
    assert chain.replay.record(S).kind == "parallel"


def test_close_when_done_then_it_is_finished_with_its_output(chain: Chain) -> None:
    chain.write(T.STAGE_START, S, input=1).write(T.STAGE_COMPLETE, S, output={"n": 2})

    record = chain.replay.record(S)

    assert (chain.open_scopes(), chain.finished()) == ([], [S])
    assert (record.input, record.output) == (1, {"n": 2})
    assert record.until == START + timedelta(minutes=2)
    assert record.opening == CheckpointId("w", "s", None, 1)


def test_close_when_it_was_never_opened_then_it_is_finished_all_the_same(chain: Chain) -> None:
    chain.write(T.AGENT_COMPLETE, A, output=5)

    assert chain.finished() == [A]
    assert chain.replay.record(A).since is None


def test_failure_when_recorded_then_the_scope_stays_open(chain: Chain) -> None:
    chain.write(T.STAGE_START, S).write(T.ERROR_STATE, S)

    assert (chain.open_scopes(), chain.finished()) == ([S], [])


@pytest.mark.parametrize("type_", [T.PROGRESS, T.SYNC_BARRIER, T.ERROR_STATE])
def test_fact_when_written_then_it_opens_and_closes_nothing(
    chain: Chain, type_: CheckpointType
) -> None:
    chain.write(type_, S, input=1, output=2, name="x", kind="parallel")

    record = chain.replay.record(S)

    assert (chain.open_scopes(), chain.finished()) == ([], [])
    assert (record.input, record.output, record.title, record.kind) == (None,) * 4


def test_close_when_scopes_inside_are_open_then_they_are_open_no_more_and_not_finished(
    chain: Chain,
) -> None:
    chain.write(T.WORKFLOW_START, W).write(T.STAGE_START, S).write(T.STAGE_START, S2)
    chain.write(T.AGENT_START, A).write(T.AGENT_START, Scope("w", "s2", "a"))

    chain.write(T.STAGE_COMPLETE, S)

    assert chain.open_scopes() == [W, S2, Scope("w", "s2", "a")]
    assert chain.finished() == [S]


def test_close_when_the_workflow_is_done_then_nothing_is_open(chain: Chain) -> None:
    chain.write(T.WORKFLOW_START, W).write(T.STAGE_START, S).write(T.AGENT_START, A)

    chain.write(T.WORKFLOW_COMPLETE, W)

    assert (chain.open_scopes(), chain.finished()) == ([], [W])


def test_close_when_an_agent_is_done_then_its_sisters_stay_open(chain: Chain) -> None:
    chain.write(T.STAGE_START, S).write(T.AGENT_START, A).write(T.AGENT_START, B)

    chain.write(T.AGENT_COMPLETE, A)

    assert chain.open_scopes() == [S, B]


def test_open_when_it_was_finished_then_it_is_open_and_its_output_is_gone(chain: Chain) -> None:
    chain.write(T.STAGE_START, S, input=1, name="old", kind="parallel")
    chain.write(T.STAGE_COMPLETE, S, output=2).write(T.STAGE_START, S, input=3)

    record = chain.replay.record(S)

    assert (chain.open_scopes(), chain.finished()) == ([S], [])
    assert (record.input, record.output, record.until) == (3, None, None)
    assert (record.title, record.kind) == (None, None)
    assert record.opening == CheckpointId("w", "s", None, 3)
    assert record.since == START + timedelta(minutes=3)


def test_open_scopes_when_one_was_opened_again_then_the_order_is_that_of_the_last_opening(
    chain: Chain,
) -> None:
    chain.write(T.AGENT_START, A).write(T.AGENT_START, B).write(T.AGENT_START, A)

    assert chain.open_scopes() == [B, A]


def test_finished_when_closed_in_another_order_then_the_order_is_that_of_closing(
    chain: Chain,
) -> None:
    chain.write(T.AGENT_START, A).write(T.AGENT_START, B)
    chain.write(T.AGENT_COMPLETE, B).write(T.AGENT_COMPLETE, A)

    assert chain.finished() == [B, A]


def test_finished_when_one_is_closed_again_then_it_is_the_last(chain: Chain) -> None:
    chain.write(T.AGENT_COMPLETE, A).write(T.AGENT_COMPLETE, B)
    chain.write(T.AGENT_START, A).write(T.AGENT_COMPLETE, A)

    assert chain.finished() == [B, A]


def test_finished_when_something_more_is_said_of_one_then_the_order_stays(chain: Chain) -> None:
    chain.write(T.AGENT_COMPLETE, A).write(T.AGENT_COMPLETE, B)

    chain.write(T.PROGRESS, A, state={"x": 1})

    assert chain.finished() == [A, B]


def test_handler_when_several_are_named_then_the_newest_of_that_scope_counts(chain: Chain) -> None:
    chain.write(T.WORKFLOW_START, W, resume_handler="first")
    chain.write(T.STAGE_START, S, resume_handler="of the stage")
    chain.write(T.PROGRESS, W, resume_handler="second").write(T.PROGRESS, W)

    assert chain.replay.record(W).handler == "second"
    assert chain.replay.record(S).handler == "of the stage"
    assert chain.replay.record(A).handler is None


def test_head_when_checkpoints_are_added_then_it_is_the_last(chain: Chain) -> None:
    assert chain.replay.head is None

    chain.write(T.WORKFLOW_START, W).write(T.PROGRESS, A)

    assert chain.replay.head == CheckpointId("w", "s", "a", 2)


def test_record_when_nothing_is_known_then_it_is_empty_and_none_is_made(chain: Chain) -> None:
    assert chain.replay.record(S).state == {}
    assert chain.replay.scopes == {}


def test_copy_when_one_goes_on_then_the_other_does_not(chain: Chain) -> None:
    chain.write(T.STAGE_START, S, state={"a": 1})
    other = Chain(chain.replay.copy(), chain.sequence)
    assert other.replay.head == chain.replay.head

    other.write(T.AGENT_START, A).write(T.PROGRESS, S, patch={"b": 2}).write(T.STAGE_COMPLETE, S)
    chain.write(T.PROGRESS, S, patch={"c": 3})

    assert chain.replay.record(S).state == {"a": 1, "c": 3}
    assert other.replay.record(S).state == {"a": 1, "b": 2}
    assert (chain.open_scopes(), other.open_scopes()) == ([S], [])
    assert A not in chain.replay.scopes
    assert chain.replay.head == CheckpointId("w", "s", None, 2)
    assert other.replay.head == CheckpointId("w", "s", None, 4)
