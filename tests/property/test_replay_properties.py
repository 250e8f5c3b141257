"""Replay against a plain model: each answer looked up anew in the whole list of checkpoints."""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CLOSING, OPENING, CheckpointType
from holdfast.domain.execution_context import (
    agent_snapshot,
    context_of,
    stage_snapshot,
    workflow_snapshot,
)
from holdfast.domain.json_value import canonical
from holdfast.domain.replay import Change, Replay
from holdfast.domain.scope import Scope
from holdfast.domain.scope_record import ScopeRecord
from hypothesis import example, given, settings
from hypothesis import strategies as st

Json: TypeAlias = Any

START = datetime(2024, 3, 1, tzinfo=UTC)
STAGES = ("read", "a/b")
AGENTS = ("x", "y")
SCOPES = [
    Scope("w"),
    *(Scope("w", stage) for stage in STAGES),
    *(Scope("w", stage, agent) for stage in STAGES for agent in AGENTS),
]
OPENS = set(OPENING.values())
CLOSES = set(CLOSING.values())

documents = st.recursive(
    st.sampled_from([None, 0, 1, True, "x"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=5,
)
objects = st.dictionaries(st.sampled_from("ab"), documents, max_size=2)
names = st.none() | st.sampled_from(["one", "two"])


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    """A chain of any order: openings twice, closings of what is not open, whatever comes."""
    chain: list[Change] = []
    # Sequences grow and leave gaps, as those of a chain with a restart in it do.
    sequence = 0
    for scope in draw(st.lists(st.sampled_from(SCOPES), min_size=1, max_size=14)):
        sequence += draw(st.integers(1, 3))
        type_ = draw(
            st.sampled_from(
                [
                    OPENING[scope.kind],
                    OPENING[scope.kind],
                    CLOSING[scope.kind],
                    CheckpointType.PROGRESS,
                    CheckpointType.SYNC_BARRIER,
                    CheckpointType.ERROR_STATE,
                ]
            )
        )
        at = START + timedelta(seconds=sequence)
        checkpoint = Checkpoint(
            CheckpointId.of(scope, sequence),
            type_,
            CheckpointStatus.COMPLETED,
            at,
            at,
            name=draw(names),
            kind=draw(st.none() | st.just("parallel")),
            resume_handler=draw(names),
        )
        what = draw(st.sampled_from(["nothing", "state", "patch"]))
        chain.append(
            Change(
                checkpoint,
                state=draw(objects) if what == "state" else None,
                patch=draw(objects) if what == "patch" else None,
                input=draw(documents) if type_ in OPENS else None,
                output=draw(documents) if type_ in CLOSES else None,
            )
        )
    return chain


@dataclass
class Model:
    """The rules of the design, read off the list of changes each time something is asked."""

    chain: list[Change]

    def of(self, scope: Scope, types: set[CheckpointType] | None = None) -> list[int]:
        """Return where in the chain *scope* is spoken of, by checkpoints of *types*."""
        return [
            index
            for index, change in enumerate(self.chain)
            if change.checkpoint.scope == scope
            and (types is None or change.checkpoint.type in types)
        ]

    def last(self, scope: Scope, types: set[CheckpointType]) -> int:
        return max(self.of(scope, types), default=-1)

    def state(self, scope: Scope) -> Json:
        state: Json = {}
        for index in self.of(scope):
            change = self.chain[index]
            if change.state is not None:
                state = copy.deepcopy(change.state)
            if change.patch is not None:
                state = patched(state, change.patch)
        return state

    def is_finished(self, scope: Scope) -> bool:
        return self.last(scope, CLOSES) > self.last(scope, OPENS)

    def is_open(self, scope: Scope) -> bool:
        """Opened, and neither it nor anything around it was closed after that."""
        around = [scope, Scope(scope.workflow_id)]
        if scope.stage_id is not None:
            around.append(Scope(scope.workflow_id, scope.stage_id))
        opened = self.last(scope, OPENS)
        return opened >= 0 and all(self.last(each, CLOSES) < opened for each in around)

    def record(self, scope: Scope) -> ScopeRecord:
        opened, closed = self.last(scope, OPENS), self.last(scope, CLOSES)
        opening = self.chain[opened] if opened >= 0 else None
        closing = self.chain[closed] if closed > opened else None
        handlers = [self.chain[index].checkpoint.resume_handler for index in self.of(scope)]
        return ScopeRecord(
            state=self.state(scope),
            title=opening.checkpoint.name if opening else None,
            kind=opening.checkpoint.kind if opening else None,
            handler=next((each for each in reversed(handlers) if each is not None), None),
            input=opening.input if opening else None,
            output=closing.output if closing else None,
            opening=opening.checkpoint.id if opening else None,
            since=opening.checkpoint.created_at if opening else None,
            until=closing.checkpoint.created_at if closing else None,
            is_open=self.is_open(scope),
            is_finished=self.is_finished(scope),
        )

    def open_scopes(self) -> list[Scope]:
        found = [scope for scope in SCOPES if self.is_open(scope)]
        return sorted(found, key=lambda scope: self.last(scope, OPENS))

    def finished(self) -> list[Scope]:
        found = [scope for scope in SCOPES if self.is_finished(scope)]
        return sorted(found, key=lambda scope: self.last(scope, CLOSES))


def patched(target: Json, patch: Json) -> Json:
    """RFC 7396, section 2, as its pseudo-code has it."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if not isinstance(target, dict):
        target = {}
    for name, value in patch.items():
        if value is None:
            if name in target:
                del target[name]
        else:
            target[name] = patched(target.get(name), value)
    return target


def replayed(chain: list[Change]) -> Replay:
    replay = Replay()
    for change in chain:
        replay.apply(change)
    return replay


def plain(record: ScopeRecord) -> str:
    """Return all of *record* as text that tells ``1`` from ``True``."""
    fields = {name: getattr(record, name) for name in ScopeRecord.__slots__}
    values = {name: fields.pop(name) for name in ("state", "input", "output")}
    return f"{fields!r} {canonical(values)}"


S1 = Scope("w", "read")
A1 = Scope("w", "read", "x")


def chain_of(*entries: tuple[CheckpointType, Scope]) -> list[Change]:
    return [
        Change(
            Checkpoint(
                CheckpointId.of(scope, number),
                type_,
                CheckpointStatus.COMPLETED,
                START + timedelta(seconds=number),
                START,
            )
        )
        for number, (type_, scope) in enumerate(entries, 1)
    ]


T = CheckpointType


@settings(deadline=None, max_examples=250)
@given(changes())
@example(chain_of((T.AGENT_START, A1), (T.STAGE_COMPLETE, S1), (T.AGENT_COMPLETE, A1)))
@example(chain_of((T.AGENT_START, A1), (T.WORKFLOW_COMPLETE, Scope("w")), (T.STAGE_START, S1)))
def test_replay_when_compared_with_a_plain_model_then_every_record_is_the_same(
    chain: list[Change],
) -> None:
    replay, model = replayed(chain), Model(chain)

    for scope in SCOPES:
        assert plain(replay.record(scope)) == plain(model.record(scope)), scope
    assert set(replay.scopes) == {change.checkpoint.scope for change in chain}
    assert replay.head == chain[-1].checkpoint.id


@settings(deadline=None, max_examples=100)
@given(changes())
def test_replay_when_compared_with_a_plain_model_then_what_is_open_and_done_is_in_its_order(
    chain: list[Change],
) -> None:
    replay, model = replayed(chain), Model(chain)

    assert [scope for scope, _ in replay.open_scopes()] == model.open_scopes()
    assert [scope for scope, _ in replay.finished()] == model.finished()


@settings(deadline=None, max_examples=60)
@given(changes(), st.data())
def test_replay_when_copied_halfway_then_both_go_on_by_themselves(
    chain: list[Change], data: st.DataObject
) -> None:
    halfway = data.draw(st.integers(0, len(chain)))
    first = replayed(chain[:halfway])
    second = first.copy()

    for change in chain[halfway:]:
        second.apply(change)

    for scope in SCOPES:
        assert plain(first.record(scope)) == plain(Model(chain[:halfway]).record(scope))
        assert plain(second.record(scope)) == plain(Model(chain).record(scope))


@settings(deadline=None, max_examples=60)
@given(changes())
def test_replay_when_it_merges_then_what_it_was_given_is_not_changed(chain: list[Change]) -> None:
    before = [(copy.deepcopy(each.state), copy.deepcopy(each.patch)) for each in chain]

    replayed(chain)

    assert [(each.state, each.patch) for each in chain] == before


@settings(deadline=None, max_examples=60)
@given(changes())
def test_replay_when_agents_write_side_by_side_then_their_order_does_not_matter(
    chain: list[Change],
) -> None:
    replay = replayed(chain)
    by_scope = sorted(chain, key=lambda each: SCOPES.index(each.checkpoint.scope))

    for scope, own in itertools.groupby(by_scope, key=lambda each: each.checkpoint.scope):
        assert canonical(replayed(list(own)).record(scope).state) == canonical(
            replay.record(scope).state
        )


@settings(deadline=None, max_examples=60)
@given(changes())
def test_context_when_rebuilt_then_it_says_what_the_plain_model_says(chain: list[Change]) -> None:
    model, head = Model(chain), chain[-1].checkpoint
    spoken_of = {change.checkpoint.scope for change in chain}
    stage = Scope("w", head.id.stage_id) if head.id.stage_id else None

    context = context_of(replayed(chain), lambda: ())

    assert (context.checkpoint_id, context.workflow_id) == (head.id, "w")
    assert context.workflow_state == model.state(Scope("w"))
    assert context.stage_state == (model.state(stage) if stage else {})
    assert context.agent_state == (model.state(head.scope) if head.id.agent_id else {})
    assert context.stages == {
        each.stage_id: model.state(each) for each in spoken_of if each.kind == "stage"
    }
    assert context.agents == {
        (each.stage_id, each.agent_id): model.state(each)
        for each in spoken_of
        if each.kind == "agent"
    }
    assert list(context.outputs.items()) == [
        (each.key, model.record(each).output)
        for each in model.finished()
        if each.kind != "workflow"
    ]
    assert [(each.scope, each.opening, each.since, each.input) for each in context.interrupted] == [
        (scope, record.opening, record.since, record.input)
        for scope, record in ((each, model.record(each)) for each in model.open_scopes())
    ]


@settings(deadline=None, max_examples=60)
@given(changes())
def test_snapshots_when_taken_then_they_say_what_the_plain_model_says(chain: list[Change]) -> None:
    replay, model = replayed(chain), Model(chain)
    open_stages = [each.stage_id for each in model.open_scopes() if each.kind == "stage"]

    workflow = workflow_snapshot(replay, "w")

    assert workflow.active_stage == (open_stages[-1] if open_stages else None)
    assert list(workflow.pending_stages) == open_stages[:-1]
    assert list(workflow.completed_stages) == [
        each.stage_id for each in model.finished() if each.kind == "stage"
    ]
    for stage_id in STAGES:
        stage = stage_snapshot(replay, Scope("w", stage_id))
        assert stage is not None
        assert (list(stage.active_agents), list(stage.completed_agents)) == (
            [s.agent_id for s in model.open_scopes() if s.agent_id and s.stage_id == stage_id],
            [s.agent_id for s in model.finished() if s.agent_id and s.stage_id == stage_id],
        )
    for scope in SCOPES:
        agent = agent_snapshot(replay, scope)
        record = model.record(scope)
        assert (agent is None) is (scope.kind != "agent")
        if agent is not None:
            assert (agent.input, agent.output) == (record.input, record.output)
            assert (agent.started_at, agent.ended_at) == (record.since, record.until)
