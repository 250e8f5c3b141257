"""Every checkpoint repository adds chains up."""

from __future__ import annotations

from typing import Any

import pytest

from ....domain.checkpoint_id import CheckpointId
from ....domain.execution_context import context_of
from ....domain.json_value import canonical
from ....domain.ports import Store
from ....domain.scope import Scope
from .material import Save


class Replaying:
    """See `CheckpointRepositoryContract`."""

    def test_replay_when_states_and_patches_follow_each_other_then_they_add_up(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf", "workflow_start", state={"a": 1, "deep": {"x": 1, "y": 2}})
        save(store, "wf", patch={"a": None, "deep": {"y": 3}, "b": [1]})
        save(store, "wf/s", "stage_start", state={"of": "stage"}, input={"go": 1}, kind="parallel")
        save(store, "wf/s/a", "agent_start", patch={"of": "agent"}, input=[1])
        save(store, "wf/s/a", "agent_complete", output={"r": -0.0})
        head = save(store, "wf/t", state={"of": "other"})

        replay = store.read(lambda uow: uow.checkpoints.replay(head.id))

        context = context_of(replay, lambda: ())
        assert context.workflow_state == {"deep": {"x": 1, "y": 3}, "b": [1]}
        assert context.stages == {"s": {"of": "stage"}, "t": {"of": "other"}}
        assert context.agents == {("s", "a"): {"of": "agent"}}
        assert canonical(dict(context.outputs)) == canonical({"s/a": {"r": -0.0}})
        assert [(str(each.scope), each.input) for each in context.interrupted] == [
            ("wf", None),
            ("wf/s", {"go": 1}),
        ]
        assert context.checkpoint_id == head.id

    def test_replay_when_started_again_from_an_older_parent_then_without_what_came_after_it(
        self, store: Store, save: Save
    ) -> None:
        root = save(store, "wf", "workflow_start", state={"n": 1})
        save(store, "wf", state={"n": 2, "lost": True})
        save(store, "wf/s", "stage_complete", output="lost")
        head = save(store, "wf", patch={"m": 3}, parent=root.id)

        replay = store.read(lambda uow: uow.checkpoints.replay(head.id))

        assert replay.record(Scope("wf")).state == {"n": 1, "m": 3}
        assert not replay.record(Scope("wf", "s")).is_finished

    def test_replay_when_of_an_older_checkpoint_then_as_of_then(
        self, store: Store, save: Save
    ) -> None:
        old = save(store, "wf", state={"n": 1})
        save(store, "wf", state={"n": 2})

        replay = store.read(lambda uow: uow.checkpoints.replay(old.id))

        assert (replay.head, replay.record(Scope("wf")).state) == (old.id, {"n": 1})

    def test_replay_when_the_chain_is_long_then_it_is_whole(self, store: Store, put: Save) -> None:
        def work(uow: Any) -> list[CheckpointId]:
            return [put(uow, "wf", patch={str(n): n}).id for n in range(300)]

        ids = store.write(work)

        replay = store.read(lambda uow: uow.checkpoints.replay(ids[-1]))
        assert replay.record(Scope("wf")).state == {str(n): n for n in range(300)}
        assert len(store.read(lambda uow: uow.checkpoints.chain(ids[-1]))) == 300

    # Progress.

    @pytest.mark.parametrize(
        ("scope", "type_", "name", "progressed"),
        [
            ("wf/t", "stage_complete", None, True),
            ("wf/s/b", "agent_complete", None, True),
            ("wf", "workflow_complete", None, True),
            ("wf", "sync_barrier", "joined", True),
            ("wf", "sync_barrier", None, True),
            ("wf", "progress", "new name", True),
            ("wf/s", "progress", "known name", True),
            ("wf", "sync_barrier", "known name", True),
            ("wf", "progress", "", True),
            ("wf/s", "sync_barrier", "known barrier", False),
            ("wf", "progress", "known name", False),
            ("wf", "progress", None, False),
            ("wf/s", "stage_complete", None, False),
            ("wf/s", "stage_complete", "under another name", False),
            ("wf/s/a", "agent_complete", None, False),
            ("wf/t", "stage_start", "opened", False),
            ("wf", "error_state", "failed", False),
        ],
    )
    def test_progressed_since_when_something_follows_then_only_new_achievements_count(
        self,
        store: Store,
        save: Save,
        scope: str,
        type_: str,
        name: str | None,
        progressed: bool,
    ) -> None:
        save(store, "wf", "workflow_start")
        save(store, "wf/s/a", "agent_complete")
        save(store, "wf/s", "sync_barrier", name="known barrier")
        save(store, "wf/s", "stage_complete")
        since = save(store, "wf", "progress", name="known name").id.sequence
        save(store, "other/t", "stage_complete")

        save(store, scope, type_, name=name)

        found = store.read(lambda uow: uow.checkpoints.progressed_since("wf", since))
        assert found is progressed

    def test_progressed_since_when_nothing_follows_then_it_did_not(
        self, store: Store, save: Save
    ) -> None:
        last = save(store, "wf/s", "stage_complete")

        found = store.read(
            lambda uow: [
                uow.checkpoints.progressed_since("wf", last.id.sequence),
                uow.checkpoints.progressed_since("wf", last.id.sequence - 1),
                uow.checkpoints.progressed_since("unknown", 0),
            ]
        )

        assert found == [False, True, False]
