"""What a resume handler is given, and the snapshots of a checkpoint."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.execution_context import (
    ExecutionContext,
    Interrupted,
    agent_snapshot,
    context_of,
    stage_snapshot,
    workflow_snapshot,
)
from holdfast.domain.json_value import canonical
from holdfast.domain.replay import Change, Replay
from holdfast.domain.scope import Scope
from holdfast.domain.snapshots import AgentStateSnapshot, StageStateSnapshot, WorkflowStateSnapshot

T = CheckpointType
START = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
W = Scope("w")


def minute(count: int) -> datetime:
    return START + timedelta(minutes=count)


def write(replay: Replay, type_: CheckpointType, scope: Scope, **fields: Any) -> None:
    """Add the next checkpoint of a chain; the n-th is written at minute n."""
    sequence = replay.head.sequence + 1 if replay.head else 1
    contents = {
        name: fields.pop(name) for name in ("state", "patch", "input", "output") if name in fields
    }
    at = minute(sequence)
    status = CheckpointStatus.COMPLETED
    checkpoint = Checkpoint(CheckpointId.of(scope, sequence), type_, status, at, at, **fields)
    replay.apply(Change(checkpoint, **contents))


@pytest.fixture
def crew() -> Replay:
    """A workflow with one stage done and one at work, of whose agents one is done."""
    replay = Replay()
    write(replay, T.WORKFLOW_START, W, name="Crew", state={"shared": 1}, input={"root": "src"})
    write(replay, T.STAGE_START, Scope("w", "discover"))
    write(replay, T.STAGE_COMPLETE, Scope("w", "discover"), output=["a", "b"])
    read = Scope("w", "read")
    write(replay, T.STAGE_START, read, name="Read", kind="parallel", state={"left": 2})
    write(replay, T.AGENT_START, Scope("w", "read", "a/1"), input="a", kind="llm", name="Reader")
    write(replay, T.AGENT_START, Scope("w", "read", "b"), input="b", state={"page": 7})
    write(replay, T.AGENT_COMPLETE, Scope("w", "read", "a/1"), output={"n": 1})
    return replay


def context(replay: Replay) -> ExecutionContext:
    return context_of(replay, lambda: ())


def test_context_when_rebuilt_then_every_scope_has_its_own_state(crew: Replay) -> None:
    rebuilt = context(crew)

    assert rebuilt.checkpoint_id == CheckpointId("w", "read", "a/1", 7)
    assert rebuilt.workflow_id == "w"
    assert rebuilt.workflow_state == {"shared": 1}
    assert rebuilt.stages == {"discover": {}, "read": {"left": 2}}
    assert rebuilt.agents == {("read", "a/1"): {}, ("read", "b"): {"page": 7}}


def test_context_when_rebuilt_then_it_tells_what_is_done_in_the_order_of_completion(
    crew: Replay,
) -> None:
    write(crew, T.AGENT_COMPLETE, Scope("w", "read", "b"), output=None)
    write(crew, T.STAGE_COMPLETE, Scope("w", "read"), output=3)
    write(crew, T.WORKFLOW_COMPLETE, W, output="all")

    outputs = context(crew).outputs

    assert list(outputs.items()) == [
        ("discover", ["a", "b"]),
        ("read/a%2F1", {"n": 1}),
        ("read/b", None),
        ("read", 3),
    ]


def test_context_when_rebuilt_then_it_tells_what_was_interrupted_with_its_input(
    crew: Replay,
) -> None:
    assert context(crew).interrupted == (
        Interrupted(W, CheckpointId("w", None, None, 1), minute(1), {"root": "src"}),
        Interrupted(Scope("w", "read"), CheckpointId("w", "read", None, 4), minute(4), None),
        Interrupted(Scope("w", "read", "b"), CheckpointId("w", "read", "b", 6), minute(6), "b"),
    )


@pytest.mark.parametrize(
    ("scope", "stage_state", "agent_state"),
    [
        (W, {}, {}),
        (Scope("w", "read"), {"left": 2}, {}),
        (Scope("w", "read", "b"), {"left": 2}, {"page": 7}),
        (Scope("w", "read", "c"), {"left": 2}, {}),
        (Scope("w", "write"), {}, {}),
        (Scope("w", "write", "b"), {}, {}),
    ],
)
def test_context_when_rebuilt_at_a_scope_then_its_own_states_are_at_hand(
    crew: Replay, scope: Scope, stage_state: dict[str, int], agent_state: dict[str, int]
) -> None:
    write(crew, T.PROGRESS, scope)

    rebuilt = context(crew)

    assert (rebuilt.stage_state, rebuilt.agent_state) == (stage_state, agent_state)


def test_context_when_the_chain_is_asked_for_then_it_is_read_and_not_before(crew: Replay) -> None:
    reads: list[int] = []
    ids = (CheckpointId("w", None, None, 2), CheckpointId("w", None, None, 1))

    def read_chain() -> tuple[CheckpointId, ...]:
        reads.append(1)
        return ids

    rebuilt = context_of(crew, read_chain)

    assert reads == []
    assert rebuilt.chain == ids
    assert reads == [1]


def test_context_when_there_is_no_checkpoint_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match="without checkpoints"):
        context(Replay())


def test_context_when_changed_then_it_is_refused(crew: Replay) -> None:
    rebuilt = context(crew)

    with pytest.raises(dataclasses.FrozenInstanceError):
        rebuilt.workflow_state = {}  # type: ignore[misc]


def test_context_when_rebuilt_twice_then_it_is_equal_whoever_reads_the_chain(crew: Replay) -> None:
    assert context_of(crew, lambda: ()) == context_of(crew.copy(), lambda: ())


def test_to_dict_when_asked_then_it_is_json_of_every_part(crew: Replay) -> None:
    form = context(crew).to_dict()

    assert form == {
        "checkpoint_id": "w/read/a%2F1@7",
        "workflow_id": "w",
        "workflow_state": {"shared": 1},
        "stage_state": {"left": 2},
        "agent_state": {},
        "stages": {"discover": {}, "read": {"left": 2}},
        "agents": {"read/a%2F1": {}, "read/b": {"page": 7}},
        "outputs": {"discover": ["a", "b"], "read/a%2F1": {"n": 1}},
        "interrupted": [
            {
                "scope": "w",
                "opening": "w@1",
                "since": "2024-03-01T12:01:00+00:00",
                "input": {"root": "src"},
            },
            {
                "scope": "w/read",
                "opening": "w/read@4",
                "since": "2024-03-01T12:04:00+00:00",
                "input": None,
            },
            {
                "scope": "w/read/b",
                "opening": "w/read/b@6",
                "since": "2024-03-01T12:06:00+00:00",
                "input": "b",
            },
        ],
    }
    assert json.loads(json.dumps(form)) == form


def test_to_dict_when_agents_have_names_with_slashes_then_no_two_share_a_key() -> None:
    replay = Replay()
    write(replay, T.PROGRESS, Scope("w", "a/b", "c"), state={"n": 1})
    write(replay, T.PROGRESS, Scope("w", "a", "b/c"), state={"n": 2})

    form = context(replay).to_dict()

    assert form["agents"] == {"a%2Fb/c": {"n": 1}, "a/b%2Fc": {"n": 2}}


def test_to_dict_when_one_value_differs_in_type_then_the_canonical_json_differs() -> None:
    forms = []
    for value in (1, True):
        replay = Replay()
        write(replay, T.PROGRESS, W, state={"n": value})
        forms.append(canonical(context(replay).to_dict()))

    assert forms[0] != forms[1]


def test_workflow_snapshot_when_taken_then_it_tells_active_done_and_pending_stages(
    crew: Replay,
) -> None:
    write(crew, T.STAGE_START, Scope("w", "check"))
    write(crew, T.STAGE_START, Scope("w", "write"))

    assert workflow_snapshot(crew, "w") == WorkflowStateSnapshot(
        workflow_id="w",
        name="Crew",
        active_stage="write",
        completed_stages=("discover",),
        pending_stages=("read", "check"),
        context={"shared": 1},
    )


def test_workflow_snapshot_when_one_stage_is_open_then_it_is_active_and_none_is_pending(
    crew: Replay,
) -> None:
    snapshot = workflow_snapshot(crew, "w")

    assert (snapshot.active_stage, snapshot.pending_stages) == ("read", ())


def test_workflow_snapshot_when_nothing_is_open_then_no_stage_is_active() -> None:
    assert workflow_snapshot(Replay(), "w") == WorkflowStateSnapshot("w", None, None, (), (), {})


def test_workflow_snapshot_when_stages_are_done_then_they_come_in_the_order_of_completion(
    crew: Replay,
) -> None:
    write(crew, T.STAGE_START, Scope("w", "x"))
    write(crew, T.STAGE_COMPLETE, Scope("w", "x"))
    write(crew, T.AGENT_COMPLETE, Scope("w", "read", "b"))
    write(crew, T.STAGE_COMPLETE, Scope("w", "read"))

    assert workflow_snapshot(crew, "w").completed_stages == ("discover", "x", "read")


@pytest.mark.parametrize("scope", [Scope("w", "read"), Scope("w", "read", "b")])
def test_stage_snapshot_when_taken_of_a_stage_or_its_agent_then_it_is_of_the_stage(
    crew: Replay, scope: Scope
) -> None:
    assert stage_snapshot(crew, scope) == StageStateSnapshot(
        stage_id="read",
        name="Read",
        kind="parallel",
        active_agents=("b",),
        completed_agents=("a/1",),
        context={"left": 2},
    )


def test_stage_snapshot_when_its_kind_was_not_said_then_it_is_sequential(crew: Replay) -> None:
    snapshot = stage_snapshot(crew, Scope("w", "discover"))

    assert snapshot is not None
    assert snapshot.kind == "sequential"


def test_stage_snapshot_when_another_stage_has_agents_then_they_are_not_its_own(
    crew: Replay,
) -> None:
    snapshot = stage_snapshot(crew, Scope("w", "discover"))

    assert snapshot is not None
    assert (snapshot.active_agents, snapshot.completed_agents) == ((), ())


def test_agent_snapshot_when_it_is_done_then_it_tells_what_it_was_given_and_gave(
    crew: Replay,
) -> None:
    assert agent_snapshot(crew, Scope("w", "read", "a/1")) == AgentStateSnapshot(
        agent_id="a/1",
        name="Reader",
        family="llm",
        input="a",
        output={"n": 1},
        started_at=minute(5),
        ended_at=minute(7),
        context={},
    )


def test_agent_snapshot_when_it_is_at_work_then_it_has_no_end(crew: Replay) -> None:
    assert agent_snapshot(crew, Scope("w", "read", "b")) == AgentStateSnapshot(
        "b", None, None, "b", None, minute(6), None, {"page": 7}
    )


@pytest.mark.parametrize("scope", [W, Scope("w", "read")])
def test_snapshot_when_the_scope_is_a_wider_one_then_there_is_none(
    crew: Replay, scope: Scope
) -> None:
    assert agent_snapshot(crew, scope) is None
    assert (stage_snapshot(crew, scope) is None) is (scope == W)
