"""What a chain adds up to, and what starting again from an older checkpoint does to it."""

from __future__ import annotations

import holdfast
import pytest


def openings_of(engine: holdfast.Engine) -> dict[str, str]:
    found = engine.list("w", limit=None)
    return {str(each.id): each.status.value for each in reversed(found) if each.type.opens}


def chain_of(engine: holdfast.Engine) -> list[str]:
    return list(map(str, engine.context("w").chain))


class TestContext:
    def test_context_when_scopes_write_state_then_each_has_its_own(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", state={"n": 0})
        engine.checkpoint("w", stage_id="s", state={"n": 1})
        engine.checkpoint("w", stage_id="s", agent_id="a", state={"n": 2})
        engine.checkpoint("w", stage_id="s", agent_id="b", state={"n": 3})
        engine.checkpoint("w", stage_id="t", patch={"n": 4})

        context = engine.context("w")

        assert context.workflow_state == {"n": 0}
        assert context.stages == {"s": {"n": 1}, "t": {"n": 4}}
        assert context.agents == {("s", "a"): {"n": 2}, ("s", "b"): {"n": 3}}
        assert (context.stage_state, context.agent_state) == ({"n": 4}, {})

    def test_context_when_state_is_replaced_and_patched_then_rfc_7396(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", state={"gone": True})
        engine.checkpoint("w", state={"a": {"b": 1, "c": 2}, "list": [1, 2], "x": 0})
        engine.checkpoint("w", patch={"a": {"b": None, "d": 3}, "list": [3], "x": None})

        assert engine.context("w").workflow_state == {"a": {"c": 2, "d": 3}, "list": [3]}

    def test_context_when_at_an_older_checkpoint_then_as_it_was_there(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start", state={"n": 1})
        engine.checkpoint("w", type="stage_start", stage_id="s", input="in", state={"k": 1})
        engine.complete("w/s@2", "out")
        engine.checkpoint("w", state={"n": 2})

        past = engine.context("w/s@2")

        assert str(past.checkpoint_id) == "w/s@2"
        assert (past.workflow_state, past.stage_state) == ({"n": 1}, {"k": 1})
        assert past.outputs == {}
        assert [(str(each.scope), each.input) for each in past.interrupted] == [
            ("w", None),
            ("w/s", "in"),
        ]
        assert list(map(str, past.chain)) == ["w/s@2", "w@1"]

    def test_context_when_scopes_are_finished_then_outputs_in_that_order(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="stage_start", stage_id="s/1")
        engine.checkpoint("w", type="agent_start", stage_id="s/1", agent_id="a")
        engine.checkpoint("w", type="agent_start", stage_id="s/1", agent_id="b")
        engine.complete("w/s%2F1/b@3", [2])
        engine.complete("w/s%2F1/a@2", None)
        engine.complete("w/s%2F1@1", {"done": True})

        outputs = engine.context("w").outputs

        assert list(outputs.items()) == [
            ("s%2F1/b", [2]),
            ("s%2F1/a", None),
            ("s%2F1", {"done": True}),
        ]

    def test_context_when_turned_into_json_then_everything_but_the_chain(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start", input={"q": 1}, state={"n": 1})
        engine.checkpoint("w", stage_id="s", agent_id="a@1", state={"k": 1})
        opening = engine.get("w@1")

        form = engine.context("w").to_dict()

        assert form == {
            "checkpoint_id": "w/s/a%401@2",
            "workflow_id": "w",
            "workflow_state": {"n": 1},
            "stage_state": {},
            "agent_state": {"k": 1},
            "stages": {},
            "agents": {"s/a%401": {"k": 1}},
            "outputs": {},
            "interrupted": [
                {
                    "scope": "w",
                    "opening": "w@1",
                    "since": opening.created_at.isoformat(),
                    "input": {"q": 1},
                }
            ],
        }

    def test_checkpoint_when_read_back_then_has_snapshots_as_of_itself(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start", name="Nightly", state={"n": 1})
        engine.checkpoint("w", type="stage_start", stage_id="s")
        engine.complete("w/s@2")
        engine.checkpoint("w", type="stage_start", stage_id="t", name="Tea", state={"k": 1})
        engine.checkpoint("w", type="agent_start", stage_id="t", agent_id="a", input=[1])
        engine.checkpoint("w", type="agent_start", stage_id="t", agent_id="b")
        engine.complete("w/t/b@6")
        engine.complete("w/t/a@5", [2])

        closed = engine.get("w/t/a@8")

        assert closed.workflow == holdfast.WorkflowStateSnapshot(
            workflow_id="w",
            name="Nightly",
            active_stage="t",
            completed_stages=("s",),
            pending_stages=(),
            context={"n": 1},
        )
        assert closed.stage == holdfast.StageStateSnapshot(
            stage_id="t",
            name="Tea",
            kind="sequential",
            active_agents=(),
            completed_agents=("b", "a"),
            context={"k": 1},
        )
        opening = engine.get("w/t/a@5")
        assert closed.agent == holdfast.AgentStateSnapshot(
            agent_id="a",
            name=None,
            family=None,
            input=[1],
            output=[2],
            started_at=opening.created_at,
            ended_at=closed.created_at,
            context={},
        )
        assert opening.agent is not None
        assert (opening.agent.output, opening.agent.ended_at) == (None, None)
        assert engine.get("w@1").stage is None


class TestStartingAgain:
    def test_checkpoint_when_parent_is_older_then_what_came_after_is_not_in_the_chain(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", state={"n": 1})
        engine.checkpoint("w", state={"n": 2})
        engine.checkpoint("w", stage_id="s", state={"k": 1})

        again = engine.checkpoint("w", patch={"m": 1}, parent="w@1")

        assert (str(again.id), str(again.parent_id)) == ("w@4", "w@1")
        assert chain_of(engine) == ["w@4", "w@1"]
        assert engine.context("w").workflow_state == {"n": 1, "m": 1}
        assert engine.context("w").stages == {}
        assert engine.context("w/s@3").stages == {"s": {"k": 1}}
        assert str(engine.checkpoint("w").parent_id) == "w@4"

    def test_checkpoint_when_parent_is_the_head_then_as_if_none_were_named(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start")
        engine.checkpoint("w", type="stage_start", stage_id="s")

        engine.checkpoint("w", stage_id="s", parent="w/s@2")

        assert openings_of(engine) == {"w@1": "active", "w/s@2": "active"}

    def test_checkpoint_when_parent_is_older_then_scopes_left_behind_are_killed(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start")
        engine.checkpoint("w", type="stage_start", stage_id="s")
        engine.checkpoint("w", type="agent_start", stage_id="s", agent_id="a")

        engine.checkpoint("w", parent="w@1")

        assert openings_of(engine) == {"w@1": "active", "w/s@2": "killed", "w/s/a@3": "killed"}
        assert "left behind" in (engine.get("w/s@2").reason or "")
        assert "w@1" in (engine.get("w/s/a@3").reason or "")
        assert [str(each.scope) for each in engine.context("w").interrupted] == ["w"]

    def test_checkpoint_when_a_scope_was_closed_since_then_it_gets_a_new_opening(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start", resume_handler="h", input={"q": 1})
        engine.checkpoint("w", type="stage_start", stage_id="s", input=[1], name="Sea")
        engine.complete("w/s@2", "first")
        engine.complete("w@1", "all")

        again = engine.checkpoint("w", stage_id="s", parent="w/s@2")

        assert openings_of(engine) == {
            "w@1": "completed",
            "w/s@2": "completed",
            "w@5": "active",
            "w/s@6": "active",
        }
        assert str(again.id) == "w/s@7"
        assert chain_of(engine) == ["w/s@7", "w/s@6", "w@5", "w/s@2", "w@1"]
        stage = engine.get("w/s@6")
        assert (stage.input, stage.name) == ([1], "Sea")
        assert engine.get("w@5").resume_handler == "h"
        context = engine.context("w")
        assert context.outputs == {}
        assert [each.input for each in context.interrupted] == [{"q": 1}, [1]]
        engine.complete("w/s@6", "second")
        engine.complete("w@5")
        assert engine.context("w").outputs == {"s": "second"}

    def test_checkpoint_when_it_opens_what_was_completed_after_the_parent_then_opened_anew(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start")
        engine.checkpoint("w", type="stage_start", stage_id="s")
        engine.complete("w/s@2", "first")

        again = engine.checkpoint("w", type="stage_start", stage_id="s", parent="w@1")

        assert (str(again.id), str(again.parent_id)) == ("w/s@4", "w@1")
        assert again.status is holdfast.CheckpointStatus.ACTIVE
        assert engine.context("w").outputs == {}

    def test_checkpoint_when_parent_is_from_before_the_opening_then_a_record_again(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", state={"n": 1})
        engine.checkpoint("w", resume_handler="h", state={"n": 2})
        assert openings_of(engine) == {"w@2": "active"}

        engine.checkpoint("w", parent="w@1")
        engine.checkpoint("w", patch={"m": 1})

        assert openings_of(engine) == {"w@2": "killed"}
        assert engine.context("w").workflow_state == {"n": 1, "m": 1}
        assert engine.checkpoint("w", resume_handler="h").status == "completed"
        assert list(openings_of(engine).values()) == ["killed", "active"]

    def test_checkpoint_when_parent_belongs_to_another_workflow_then_error_names_both(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("v")
        engine.checkpoint("w")
        before = engine.events()

        with pytest.raises(holdfast.InvalidRequest, match=r"v@1 .* w: it belongs to another"):
            engine.checkpoint("w", parent="v@1")

        assert engine.events() == before

    @pytest.mark.parametrize("parent", ["w@9", "w/s@1"])
    def test_checkpoint_when_parent_does_not_exist_then_error_names_it(
        self, engine: holdfast.Engine, parent: str
    ) -> None:
        engine.checkpoint("w")
        before = engine.events()

        with pytest.raises(holdfast.NotFound, match=f"{parent} does not exist"):
            engine.checkpoint("w", parent=parent)

        assert engine.events() == before

    def test_checkpoint_when_first_has_a_parent_then_error_names_it(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(holdfast.NotFound, match="w@1"):
            engine.checkpoint("w", parent="w@1")

        assert (engine.events(), engine.workflows()) == ([], [])

    def test_run_when_restarted_from_an_older_checkpoint_then_what_came_after_runs_again(
        self, engine: holdfast.Engine
    ) -> None:
        ran: list[str] = []
        with engine.run("w") as run:
            run.step("a", ran.append, "a")
            run.step("b", ran.append, "b")
        engine.checkpoint("w", name="once more", parent="w/a@3")

        with engine.run("w") as run:
            run.step("a", ran.append, "a")
            run.step("b", ran.append, "b")

        assert ran == ["a", "b", "b"]
        assert engine.outline("w").status == "completed"
