"""Every checkpoint repository follows chains."""

from __future__ import annotations

import pytest

from ....domain.checkpoint import Checkpoint
from ....domain.errors import ChainBroken
from ....domain.ports import Store, UnitOfWork
from ....domain.scope import Scope
from .material import Forgetting, Save


class Following(Forgetting):
    """See `CheckpointRepositoryContract`."""

    # How a scope ended.

    @pytest.mark.parametrize(
        ("scope", "closing"),
        [("wf", "workflow_complete"), ("wf/s", "stage_complete"), ("wf/s/a", "agent_complete")],
    )
    def test_scope_end_when_closed_then_it_is_the_closing(
        self, store: Store, save: Save, scope: str, closing: str
    ) -> None:
        save(store, scope, closing.replace("complete", "start"))
        end = save(store, scope, closing, output={"r": 1})
        save(store, "wf/other", "stage_start")

        found = _scope_end(store, scope)

        assert found is not None
        assert (found.id, found.output) == (end.id, {"r": 1})

    def test_scope_end_when_other_scopes_were_closed_then_none(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf/s/a", "agent_complete")
        save(store, "wf/t/b", "agent_complete")
        save(store, "wf/t", "stage_complete")
        save(store, "wf", "workflow_complete")
        save(store, "other/s", "stage_complete")
        save(store, "wf/s", "progress", name="done")
        save(store, "wf/s", "error_state")

        for scope in ("wf/s", "wf/s/b", "wf/t/a", "unknown"):
            assert _scope_end(store, scope) is None, scope

    def test_scope_end_when_opened_anew_since_then_none(self, store: Store, save: Save) -> None:
        save(store, "wf/s", "stage_start")
        save(store, "wf/s", "stage_complete")
        save(store, "wf/s", "stage_start")

        assert _scope_end(store, "wf/s") is None

    def test_scope_end_when_closed_again_then_the_newest_closing(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf/s", "stage_complete", output=1)
        save(store, "wf/s", "stage_start")
        again = save(store, "wf/s", "stage_complete", output=2)

        found = _scope_end(store, "wf/s")

        assert found is not None
        assert found.id == again.id

    def test_scope_end_when_closed_off_the_heads_chain_then_none(
        self, store: Store, save: Save
    ) -> None:
        root = save(store, "wf", "workflow_start")
        save(store, "wf/s", "stage_start")
        save(store, "wf/s", "stage_complete")
        save(store, "wf", parent=root.id)

        assert _scope_end(store, "wf/s") is None

    def test_scope_end_when_closed_before_the_older_parent_then_it_counts(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf/s", "stage_start")
        end = save(store, "wf/s", "stage_complete")
        save(store, "wf/t", "stage_start")
        save(store, "wf/u", parent=end.id)

        found = _scope_end(store, "wf/s")

        assert found is not None
        assert found.id == end.id

    def test_scope_end_when_opened_anew_off_the_heads_chain_then_the_closing_still_counts(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf/s", "stage_start")
        end = save(store, "wf/s", "stage_complete")
        save(store, "wf/s", "stage_start")
        save(store, "wf/s", "stage_complete")
        save(store, "wf/t", parent=end.id)

        found = _scope_end(store, "wf/s")

        assert found is not None
        assert found.id == end.id

    def test_scope_end_when_closed_on_the_new_branch_then_it_counts(
        self, store: Store, save: Save
    ) -> None:
        root = save(store, "wf", "workflow_start")
        save(store, "wf/s", "stage_start")
        save(store, "wf/s", "stage_start", parent=root.id)
        end = save(store, "wf/s", "stage_complete")
        save(store, "wf/t", "stage_start")

        found = _scope_end(store, "wf/s")

        assert found is not None
        assert found.id == end.id

    def test_scope_end_when_the_branch_starts_from_nothing_then_older_closings_do_not_count(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf/s", "stage_start")
        save(store, "wf/s", "stage_complete")
        save(store, "wf", parent=None)

        assert _scope_end(store, "wf/s") is None

    # Chains, and what they add up to.

    def test_chain_when_each_follows_the_head_then_all_the_newest_first(
        self, store: Store, save: Save
    ) -> None:
        save(store, "other")
        ids = [save(store, scope).id for scope in ("wf", "wf/s", "wf/s/a", "wf")]

        assert store.read(lambda uow: uow.checkpoints.chain(ids[3])) == tuple(reversed(ids))
        assert store.read(lambda uow: uow.checkpoints.chain(ids[1])) == (ids[1], ids[0])

    def test_chain_when_started_again_from_an_older_parent_then_without_what_came_after_it(
        self, store: Store, save: Save
    ) -> None:
        root = save(store, "wf")
        left = save(store, "wf/s")
        right = save(store, "wf/t", parent=root.id)
        tip = save(store, "wf/t")

        assert store.read(lambda uow: uow.checkpoints.chain(tip.id)) == (tip.id, right.id, root.id)
        assert store.read(lambda uow: uow.checkpoints.chain(left.id)) == (left.id, root.id)

    def test_chain_when_an_ancestor_is_missing_then_back_to_the_oldest_that_is_kept(
        self, store: Store, save: Save
    ) -> None:
        ids = [save(store, "wf").id for _ in range(4)]
        self.forget(store, ids[1])

        assert store.read(lambda uow: uow.checkpoints.chain(ids[3])) == (ids[3], ids[2])

    def test_replay_when_an_ancestor_is_missing_then_the_error_names_it(
        self, store: Store, save: Save
    ) -> None:
        ids = [save(store, scope).id for scope in ("wf", "wf/s%2F1/a", "wf", "wf")]
        self.forget(store, ids[1])

        with pytest.raises(ChainBroken) as caught:
            store.read(lambda uow: uow.checkpoints.replay(ids[3]))

        assert (caught.value.checkpoint, caught.value.missing) == (str(ids[3]), "wf/s%2F1/a@2")

    def test_replay_when_what_is_missing_is_not_an_ancestor_then_it_is_not_needed(
        self, store: Store, save: Save
    ) -> None:
        root = save(store, "wf", state={"n": 1})
        left = save(store, "wf", state={"n": 2})
        right = save(store, "wf", parent=root.id)
        self.forget(store, left.id)

        replay = store.read(lambda uow: uow.checkpoints.replay(right.id))

        assert replay.record(Scope("wf")).state == {"n": 1}

    def test_newest_intact_when_the_chain_is_whole_then_it_is_the_checkpoint_itself(
        self, store: Store, save: Save
    ) -> None:
        ids = [save(store, "wf", state={"n": n}).id for n in range(3)]

        found = store.read(lambda uow: [uow.checkpoints.newest_intact(each) for each in ids])

        assert found == ids

    def test_newest_intact_when_an_ancestor_is_missing_then_not_one_that_cannot_be_rebuilt(
        self, store: Store, save: Save
    ) -> None:
        ids = [save(store, "wf").id for _ in range(3)]
        self.forget(store, ids[1])

        # Whether it can still tell that the root is an ancestor is the adapter's affair.
        assert store.read(lambda uow: uow.checkpoints.newest_intact(ids[2])) in (None, ids[0])


def _scope_end(store: Store, scope: str) -> Checkpoint | None:
    def ask(uow: UnitOfWork) -> Checkpoint | None:
        wanted = Scope.parse(scope)
        standing = uow.checkpoints.standing(wanted.workflow_id)
        last = uow.checkpoints.scope_last(wanted, standing.head) if standing else None
        return last if last and last.type.closes else None

    return store.read(ask)
