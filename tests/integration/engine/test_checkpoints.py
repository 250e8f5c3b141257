"""Writing checkpoints and finding them again: types, scopes, handlers, lists."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import holdfast
import pytest
from holdfast.infrastructure.clock import ManualClock

from .locking import locked

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]


def openings_of(engine: holdfast.Engine, workflow: str) -> dict[str, holdfast.CheckpointStatus]:
    """Return the status of each opening of a workflow, by the text form of its id."""
    found = engine.list(workflow, limit=None)
    return {str(each.id): each.status for each in found if each.type.opens}


def ids(checkpoints: list[holdfast.Checkpoint]) -> list[str]:
    return [str(each.id) for each in checkpoints]


def trace(engine: holdfast.Engine) -> list[Any]:
    """Return everything that a write would change."""
    kept = engine.list(limit=None)
    return [engine.events(limit=10_000), [(each.id, each.status, each.updated_at) for each in kept]]


class TestTypes:
    @pytest.mark.parametrize(
        ("type_", "stage", "agent", "status"),
        [
            ("workflow_start", None, None, "active"),
            ("stage_start", "s", None, "active"),
            ("agent_start", "s", "a", "active"),
            ("progress", None, None, "completed"),
            ("progress", "s", "a", "completed"),
            ("sync_barrier", "s", None, "completed"),
            ("workflow_complete", None, None, "completed"),
            ("stage_complete", "s", None, "completed"),
            ("agent_complete", "s", "a", "completed"),
            ("error_state", "s", None, "failed"),
        ],
    )
    def test_checkpoint_when_of_a_type_then_written_with_its_status(
        self, engine: holdfast.Engine, type_: str, stage: str | None, agent: str | None, status: str
    ) -> None:
        written = engine.checkpoint("w", type=type_, stage_id=stage, agent_id=agent)

        found = engine.get(str(written.id))
        assert (found.type.value, found.status.value) == (type_, status)
        assert (found.id.stage_id, found.id.agent_id) == (stage, agent)

    @pytest.mark.parametrize(
        ("type_", "stage", "agent"),
        [
            ("workflow_start", "s", None),
            ("workflow_complete", "s", "a"),
            ("stage_start", None, None),
            ("stage_complete", "s", "a"),
            ("agent_start", "s", None),
            ("agent_complete", None, None),
        ],
    )
    def test_checkpoint_when_type_does_not_fit_its_scope_then_refused(
        self, engine: holdfast.Engine, type_: str, stage: str | None, agent: str | None
    ) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=type_):
            engine.checkpoint("w", type=type_, stage_id=stage, agent_id=agent)

        assert engine.events() == []

    def test_checkpoint_when_type_is_unknown_then_error_lists_them(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=r"'progres'.*progress.*sync_barrier"):
            engine.checkpoint("w", type="progres")

        assert engine.events() == []

    def test_checkpoint_when_nothing_is_said_then_defaults(
        self, open_any: OpenEngine, clock: ManualClock
    ) -> None:
        engine = open_any(clock=clock)

        written = engine.checkpoint("w")

        assert written.type is holdfast.CheckpointType.PROGRESS
        assert written.created_at == written.updated_at == clock.moment().wall
        assert written.created_at.tzinfo is UTC
        assert (written.retry_count, written.max_retries, written.schema_version) == (0, 3, 1)
        assert (written.parent_id, written.depends_on, written.metadata) == (None, (), {})
        assert (written.state, written.input, written.output) == ({}, None, None)

    def test_checkpoint_when_written_in_any_scope_then_parent_is_the_head(
        self, engine: holdfast.Engine
    ) -> None:
        first = engine.checkpoint("w", type="workflow_start")
        second = engine.checkpoint("w", stage_id="s", agent_id="a")
        third = engine.checkpoint("w", stage_id="t")
        other = engine.checkpoint("v")

        assert [each.parent_id for each in (first, second, third)] == [None, first.id, second.id]
        assert [each.id.sequence for each in (first, second, third, other)] == [1, 2, 3, 1]
        assert engine.context("w").chain == (third.id, second.id, first.id)

    def test_checkpoint_when_it_names_others_then_lineage_is_kept_and_not_replayed(
        self, engine: holdfast.Engine
    ) -> None:
        first = engine.checkpoint("w", state={"a": 1})
        second = engine.checkpoint("w", state={"b": 1})

        third = engine.checkpoint("w", stage_id="s", depends_on=[str(first.id), second.id])

        assert engine.get(str(third.id)).depends_on == (first.id, second.id)
        assert engine.context("w").workflow_state == {"b": 1}

    def test_checkpoint_when_it_depends_on_another_workflow_then_refused(
        self, engine: holdfast.Engine
    ) -> None:
        other = engine.checkpoint("v")
        before = trace(engine)

        with pytest.raises(holdfast.InvalidRequest, match=r"v@1 .*another workflow"):
            engine.checkpoint("w", depends_on=[other.id])

        assert trace(engine) == before

    def test_checkpoint_when_it_depends_on_what_is_not_there_then_refused(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w")
        before = trace(engine)

        with pytest.raises(holdfast.NotFound, match="w@7"):
            engine.checkpoint("w", depends_on=["w@7"])

        assert trace(engine) == before


class TestClosing:
    def test_complete_when_scope_is_open_then_opening_is_completed_with_it(
        self, engine: holdfast.Engine
    ) -> None:
        opening = engine.checkpoint("w", type="stage_start", stage_id="s")

        closed = engine.complete(opening.id, {"n": 1})

        assert str(closed.id) == "w/s@2"
        assert (closed.type.value, closed.output) == ("stage_complete", {"n": 1})
        assert engine.get(opening.id).status is holdfast.CheckpointStatus.COMPLETED

    def test_complete_when_named_by_a_fact_then_its_scope_is_closed(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="stage_start", stage_id="s")
        fact = engine.checkpoint("w", stage_id="s", state={"x": 1})

        closed = engine.complete(str(fact.id))

        assert closed.type.value == "stage_complete"
        assert openings_of(engine, "w") == {"w/s@1": "completed"}

    def test_complete_when_scopes_inside_are_open_then_error_names_them(
        self, engine: holdfast.Engine
    ) -> None:
        root = engine.checkpoint("w", type="workflow_start")
        engine.checkpoint("w", type="stage_start", stage_id="s")
        engine.checkpoint("w", type="agent_start", stage_id="s", agent_id="a")
        engine.checkpoint("w", type="agent_start", stage_id="s", agent_id="b")
        engine.complete("w/s/a@3")
        before = trace(engine)

        with pytest.raises(holdfast.ScopeOpen, match="abandon") as caught:
            engine.complete(root.id)

        assert set(caught.value.open_scopes) == {"w/s", "w/s/b"}
        assert all(name in str(caught.value) for name in ("w/s", "w/s/b"))
        assert trace(engine) == before

    def test_checkpoint_when_it_closes_around_an_open_scope_then_refused(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="stage_start", stage_id="s")
        engine.checkpoint("w", type="agent_start", stage_id="s", agent_id="a")
        before = trace(engine)

        with pytest.raises(holdfast.ScopeOpen) as caught:
            engine.checkpoint("w", type="stage_complete", stage_id="s")

        assert caught.value.open_scopes == ("w/s/a",)
        assert trace(engine) == before

    def test_complete_when_told_to_abandon_then_open_ones_are_killed_with_that_reason(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start")
        engine.checkpoint("w", type="stage_start", stage_id="s")
        engine.checkpoint("w", type="agent_start", stage_id="s", agent_id="a")

        engine.complete("w@1", abandon=True)

        expected = {"w@1": "completed", "w/s@2": "killed", "w/s/a@3": "killed"}
        assert openings_of(engine, "w") == expected
        assert "abandoned" in (engine.get("w/s/a@3").reason or "")
        assert engine.context("w").interrupted == ()

    def test_complete_when_closed_already_then_error_has_both_states_and_the_id(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start")
        engine.complete("w@1")
        before = trace(engine)

        with pytest.raises(holdfast.IllegalTransition, match="w") as caught:
            engine.complete("w@1")

        assert (caught.value.current, caught.value.wanted) == ("completed", "completed")
        assert trace(engine) == before

    def test_complete_when_failed_then_refused(self, engine: holdfast.Engine) -> None:
        engine.checkpoint("w", type="stage_start", stage_id="s")
        engine.fail("w/s@1", "no luck")
        before = trace(engine)

        with pytest.raises(holdfast.IllegalTransition, match="w/s@1") as caught:
            engine.complete("w/s@1")

        assert (caught.value.current, caught.value.wanted) == ("failed", "completed")
        assert trace(engine) == before

    def test_complete_when_scope_was_killed_then_refused(self, engine: holdfast.Engine) -> None:
        engine.checkpoint("w", type="workflow_start")
        engine.checkpoint("w", type="stage_start", stage_id="s")
        engine.complete("w@1", abandon=True)
        before = trace(engine)

        with pytest.raises(holdfast.IllegalTransition):
            engine.complete("w/s@2", "a result that nobody may find")

        assert trace(engine) == before

    def test_checkpoint_when_workflow_is_completed_then_refused(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start")
        engine.complete("w@1")
        before = trace(engine)

        with pytest.raises(holdfast.IllegalTransition, match="completed"):
            engine.checkpoint("w", state={"late": True})

        assert trace(engine) == before


class TestFailing:
    @pytest.mark.parametrize(
        "error",
        [
            ValueError("no luck"),
            "no luck",
            holdfast.ErrorRecord("ValueError", "no luck", "line 1"),
        ],
        ids=["exception", "text", "record"],
    )
    def test_fail_when_given_an_error_then_recorded_on_both(
        self, engine: holdfast.Engine, error: Any
    ) -> None:
        engine.checkpoint("w", type="stage_start", stage_id="s")

        failing = engine.fail("w/s@1", error)

        opening = engine.get("w/s@1")
        assert (failing.type.value, failing.status.value) == ("error_state", "failed")
        assert opening.status is holdfast.CheckpointStatus.FAILED
        for each in (engine.get(failing.id), opening):
            assert each.error is not None
            assert each.error.message == "no luck"

    def test_fail_when_error_was_raised_then_its_traceback_is_kept(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start")
        try:
            raise KeyError("no such file")
        except KeyError as error:
            engine.fail("w@1", error)

        kept = engine.get("w@1").error

        assert kept is not None
        assert (kept.type, kept.message) == ("KeyError", "'no such file'")
        assert Path(__file__).name in kept.traceback

    def test_fail_when_error_is_enormous_then_bounded(self, engine: holdfast.Engine) -> None:
        engine.checkpoint("w", type="workflow_start")

        engine.fail("w@1", RuntimeError("x" * 100_000 + "\udc80"))

        kept = engine.get("w@1").error
        assert kept is not None
        assert 1 <= len(kept.message) <= 4_000
        assert 1 <= len(kept.traceback) <= 16_000

    def test_fail_when_it_is_the_workflow_then_a_retry_is_counted_and_it_is_due_later(
        self, open_any: OpenEngine, clock: ManualClock
    ) -> None:
        slow = holdfast.Settings(back_off_base=3600, back_off_cap=3600)
        engine = open_any(clock=clock, settings=slow)
        engine.checkpoint("w", type="workflow_start", resume_handler="h", max_retries=1)

        engine.fail("w@1", "no luck")

        opening = engine.get("w@1")
        assert (opening.status.value, opening.retry_count) == ("failed", 1)
        assert opening.due_at is not None
        assert opening.due_at >= clock.moment().wall
        with pytest.raises(holdfast.IllegalTransition):
            engine.fail("w@1", "again")

    def test_fail_when_scope_is_completed_then_refused(self, engine: holdfast.Engine) -> None:
        engine.checkpoint("w", type="stage_start", stage_id="s")
        engine.complete("w/s@1")
        before = trace(engine)

        with pytest.raises(holdfast.IllegalTransition):
            engine.fail("w/s@1", "too late")

        assert trace(engine) == before

    def test_fail_when_workflow_is_completed_then_refused(self, engine: holdfast.Engine) -> None:
        engine.checkpoint("w", type="workflow_start")
        engine.complete("w@1")
        before = trace(engine)

        with pytest.raises(holdfast.IllegalTransition):
            engine.fail("w@1", "too late")

        assert trace(engine) == before

    def test_checkpoint_when_it_opens_a_failed_scope_then_taken_over_without_a_second_row(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="stage_start", stage_id="s")
        engine.fail("w/s@1", "once")

        again = engine.checkpoint("w", type="stage_start", stage_id="s")

        assert str(again.id) == "w/s@1"
        assert openings_of(engine, "w") == {"w/s@1": "recovering"}


class TestOpening:
    def test_checkpoint_when_scope_is_open_in_this_epoch_then_refused(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="stage_start", stage_id="s")
        before = trace(engine)

        with pytest.raises(holdfast.ScopeOpen, match=r"w/s is open already: w/s@1"):
            engine.checkpoint("w", type="stage_start", stage_id="s")

        assert trace(engine) == before

    def test_checkpoint_when_epoch_is_newer_then_taken_over_without_a_second_row(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start")
        engine.checkpoint("w", type="stage_start", stage_id="s", input=[1])

        with engine.run("w") as run:
            taken = engine.checkpoint("w", type="stage_start", stage_id="s", state={"n": 1})
            assert taken.status is holdfast.CheckpointStatus.RECOVERING
            assert taken.epoch == run.epoch == 1
            assert openings_of(engine, "w") == {"w@1": "recovering", "w/s@2": "recovering"}
            assert engine.context("w").stages == {"s": {"n": 1}}
            engine.complete(taken.id)

        assert openings_of(engine, "w") == {"w@1": "completed", "w/s@2": "completed"}

    def test_checkpoint_when_scope_is_finished_then_nothing_is_written(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="stage_start", stage_id="s")
        closed = engine.complete("w/s@1", 7)
        before = trace(engine)

        found = engine.checkpoint("w", type="stage_start", stage_id="s")

        assert (found.id, found.output) == (closed.id, 7)
        assert trace(engine) == before

    def test_checkpoint_when_first_to_name_a_handler_then_workflow_is_opened_before_it(
        self, engine: holdfast.Engine
    ) -> None:
        written = engine.checkpoint("w", stage_id="s", resume_handler="h", max_retries=1)

        opening = engine.get("w@1")
        assert str(written.id) == "w/s@2"
        assert written.parent_id == opening.id
        assert (opening.type.value, opening.status.value) == ("workflow_start", "active")
        assert (opening.resume_handler, opening.max_retries) == ("h", 1)
        assert opening.created_at == written.created_at

    def test_checkpoint_when_refused_then_workflow_is_not_opened_either(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="stage_start", stage_id="s")
        before = trace(engine)

        with pytest.raises(holdfast.ScopeOpen):
            engine.checkpoint("w", type="stage_start", stage_id="s", resume_handler="h")

        assert trace(engine) == before

    def test_checkpoint_when_a_record_names_a_handler_then_opened_from_there(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", state={"old": True})

        engine.checkpoint("w", resume_handler="h")

        assert openings_of(engine, "w") == {"w@2": "active"}
        assert engine.context("w").workflow_state == {"old": True}

    def test_checkpoint_when_start_names_the_handler_itself_then_one_row(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start", resume_handler="h")
        engine.checkpoint("w", stage_id="s", resume_handler="g")

        assert ids(engine.list("w")) == ["w/s@2", "w@1"]
        assert engine.get("w@1").resume_handler == "h"

    def test_stale_when_checkpoints_name_no_handler_then_a_record_never_is(
        self, open_any: OpenEngine, clock: ManualClock
    ) -> None:
        engine = open_any(clock=clock)
        engine.checkpoint("record")
        engine.checkpoint("opened", type="workflow_start")

        clock.advance(timedelta(days=400).total_seconds())

        assert engine.stale() == []

    def test_stale_when_never_leased_then_after_the_threshold_and_not_before(
        self, open_any: OpenEngine, clock: ManualClock
    ) -> None:
        engine = open_any(clock=clock)
        engine.checkpoint("w", resume_handler="h")
        clock.advance(1800)
        assert engine.stale() == []

        clock.advance(1)

        (found,) = engine.stale()
        assert (found.workflow_id, found.handler, found.owner) == ("w", "h", None)
        assert "silent" in found.because.value
        assert list(map(str, found.open_scopes)) == ["w"]
        assert engine.stale(timedelta(hours=1)) == []
        assert engine.get("w@1").is_stale(clock.moment().wall)


class TestHeartbeat:
    def test_heartbeat_when_given_then_workflow_is_not_stale(
        self, open_any: OpenEngine, clock: ManualClock
    ) -> None:
        engine = open_any(clock=clock)
        engine.checkpoint("w", resume_handler="h")
        clock.advance(1700)

        engine.heartbeat("w")

        clock.advance(1700)
        assert engine.stale() == []
        assert len(engine.list("w")) == 2

    @pytest.mark.parametrize("ended", [False, True])
    def test_heartbeat_when_workflow_is_not_open_then_refused(
        self, engine: holdfast.Engine, ended: bool
    ) -> None:
        engine.checkpoint("w", type="workflow_start" if ended else "progress")
        if ended:
            engine.complete("w@1")
        before = trace(engine)

        with pytest.raises(holdfast.HoldfastError, match="w is"):
            engine.heartbeat("w")

        assert trace(engine) == before


class TestFinding:
    def test_get_when_names_need_encoding_then_text_form_and_raw_names_find_it(
        self, engine: holdfast.Engine
    ) -> None:
        written = engine.checkpoint("a/b@c%", stage_id="s/1", agent_id="..", resume_handler="h")

        text = "a%2Fb%40c%25/s%2F1/..@2"
        assert str(written.id) == text
        assert engine.get(text).id == written.id == holdfast.CheckpointId.parse(text)
        assert engine.latest("a%2Fb%40c%25").id == written.id
        assert engine.latest(workflow_id="a/b@c%").id == written.id
        assert engine.context(workflow_id="a/b@c%").checkpoint_id == written.id
        assert ids(engine.list(workflow_id="a/b@c%")) == [text, "a%2Fb%40c%25@1"]
        assert engine.outline(workflow_id="a/b@c%").inside[0].scope.stage_id == "s/1"
        engine.heartbeat(workflow_id="a/b@c%")

    @pytest.mark.parametrize("names", [{}, {"workflow": "w", "workflow_id": "w"}])
    def test_latest_when_not_exactly_one_thing_is_named_then_refused(
        self, engine: holdfast.Engine, names: dict[str, str]
    ) -> None:
        engine.checkpoint("w")

        with pytest.raises(holdfast.InvalidRequest, match="workflow_id="):
            engine.latest(**names)

    def test_latest_when_a_checkpoint_is_named_then_error_says_what_to_name(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", stage_id="s")

        with pytest.raises(holdfast.InvalidId, match="name w"):
            engine.latest("w/s@1")

    @pytest.mark.parametrize(
        "call", ["get", "latest", "context", "outline", "attempts", "recover", "heartbeat"]
    )
    def test_looking_when_name_is_nearly_right_then_error_suggests_it(
        self, engine: holdfast.Engine, call: str
    ) -> None:
        engine.checkpoint("release-42")
        engine.checkpoint("nightly")

        with pytest.raises(holdfast.NotFound, match="did you mean release-42") as caught:
            getattr(engine, call)("relaese-42@1" if call == "get" else "relaese-42")

        assert "release-42" in caught.value.suggestions
        assert "nightly" not in caught.value.suggestions

    def test_get_when_sequence_is_missing_then_not_found(self, engine: holdfast.Engine) -> None:
        engine.checkpoint("w")

        with pytest.raises(holdfast.NotFound, match="w@2"):
            engine.get("w@2")

    def test_get_when_scope_is_another_then_not_found_with_the_right_one(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", stage_id="s")

        with pytest.raises(holdfast.NotFound, match=r"w@1 does not exist; did you mean w/s@1"):
            engine.get("w@1")

    def test_list_when_filtered_then_newest_first_of_those_alone(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start")
        engine.checkpoint("v", type="workflow_start")
        engine.checkpoint("w", type="stage_start", stage_id="s")
        engine.complete("w/s@2")
        engine.checkpoint("v")

        assert ids(engine.list()) == ["v@2", "w/s@3", "w/s@2", "v@1", "w@1"]
        assert ids(engine.list("w")) == ["w/s@3", "w/s@2", "w@1"]
        assert ids(engine.list(type="workflow_start")) == ["v@1", "w@1"]
        assert ids(engine.list(status="active")) == ["v@1", "w@1"]
        assert ids(engine.list("w", status="completed")) == ["w/s@3", "w/s@2"]
        assert ids(engine.list(limit=2)) == ["v@2", "w/s@3"]
        assert ids(engine.list("w", older_than_id="w/s@3", limit=1)) == ["w/s@2"]
        assert ids(engine.list(older_than_id="w/s@2")) == ["v@1", "w@1"]

    @pytest.mark.parametrize("wanted", [{"status": "activ"}, {"type": "start"}])
    def test_list_when_filter_is_unknown_then_error_lists_what_there_is(
        self, engine: holdfast.Engine, wanted: dict[str, Any]
    ) -> None:
        with pytest.raises(holdfast.InvalidRequest, match="is not one of"):
            engine.list(**wanted)

    def test_list_when_metadata_is_asked_then_equal_in_value_and_type(
        self, engine: holdfast.Engine
    ) -> None:
        metadata = {"team": "blue", "shard": 1, "tags": ["a"]}
        engine.checkpoint("w", metadata=metadata)
        engine.checkpoint("w", metadata={"team": "red", "shard": 1})
        engine.checkpoint("v", metadata={"team": "blue", "shard": 1.0, "none": None})

        assert engine.get("w@1").metadata == metadata
        assert ids(engine.list(metadata={"team": "blue"})) == ["v@1", "w@1"]
        assert ids(engine.list(metadata={"shard": 1})) == ["w@2", "w@1"]
        assert ids(engine.list(metadata={"shard": True})) == []
        assert ids(engine.list(metadata={"team": "blue", "shard": 1})) == ["w@1"]
        assert ids(engine.list(metadata={"tags": ["a"]})) == ["w@1"]
        assert ids(engine.list(metadata={"none": None})) == ["v@1"]
        assert ids(engine.list("w", metadata={"team": "blue"})) == ["w@1"]

    def test_workflows_when_there_are_some_then_a_summary_each(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("a", type="workflow_start", name="Nightly", resume_handler="h")
        engine.checkpoint("b")
        engine.checkpoint("a", stage_id="s")

        opened, record = engine.workflows()

        assert (opened.workflow_id, opened.name, opened.handler) == ("a", "Nightly", "h")
        assert (str(opened.head), opened.checkpoints) == ("a/s@2", 2)
        assert (record.workflow_id, record.status, record.checkpoints) == ("b", None, 1)
        assert [each.workflow_id for each in engine.workflows(status="active")] == ["a"]
        assert [each.workflow_id for each in engine.workflows(limit=1)] == ["a"]

    def test_outline_when_there_are_stages_and_agents_then_a_tree_with_states(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start")
        engine.checkpoint("w", type="stage_start", stage_id="s")
        engine.checkpoint("w", type="agent_start", stage_id="s", agent_id="a")
        engine.checkpoint("w", type="agent_start", stage_id="s", agent_id="b")
        engine.complete("w/s/a@3")
        engine.fail("w/s/b@4", "no luck")

        root = engine.outline("w")

        (stage,) = root.inside
        assert (str(root.scope), root.status, str(stage.scope)) == ("w", "active", "w/s")
        assert [(str(each.scope), each.status) for each in stage.inside] == [
            ("w/s/a", "completed"),
            ("w/s/b", "failed"),
        ]
        assert stage.inside[1].error is not None
        assert stage.inside[1].error.message == "no luck"

    def test_events_when_read_then_numbered_upwards_and_from_a_number_on(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start")
        engine.checkpoint("v")
        engine.complete("w@1")

        events = engine.events()

        numbers = [each.number for each in events]
        assert numbers == sorted(set(numbers))
        assert [(each.kind.value, str(each.checkpoint_id)) for each in events] == [
            ("created", "w@1"),
            ("created", "v@1"),
            ("created", "w@2"),
            ("completed", "w@1"),
        ]
        assert engine.events(after=numbers[1]) == events[2:]
        assert engine.events(limit=1) == events[:1]
        assert engine.events(workflow="v") == events[1:2]
        assert engine.events(workflow_id="w") == [events[0], *events[2:]]


class TestOpeningStores:
    def test_open_when_named_in_several_ways_then_the_same_store(self, tmp_path: Path) -> None:
        path = tmp_path / "crew.db"

        with holdfast.open(path) as engine:
            engine.checkpoint("w")
        with holdfast.open(f"sqlite:///{path}", durability="process") as engine:
            engine.checkpoint("w")
            assert engine.target == str(path)
        with holdfast.open(str(path)) as engine:
            assert ids(engine.list()) == ["w@2", "w@1"]
        assert path.stat().st_mode & 0o777 == 0o600

    def test_open_when_in_memory_then_a_store_of_its_own_each_time(self) -> None:
        with holdfast.open("memory:") as first, holdfast.open("memory:") as second:
            first.checkpoint("w")
            assert second.list() == []


class TestTrouble:
    def test_checkpoint_when_engine_is_closed_then_error_says_so(
        self, engine: holdfast.Engine
    ) -> None:
        engine.close()
        engine.close()

        with pytest.raises(holdfast.StoreClosed, match="closed"):
            engine.checkpoint("w")

    def test_checkpoint_when_store_stays_locked_then_given_up_after_its_timeout(
        self, open_engine: OpenEngine, disk_target: str
    ) -> None:
        engine = open_engine()
        with (
            locked(disk_target),
            pytest.raises(holdfast.StoreBusy, match=r"locked|another process") as caught,
        ):
            engine.checkpoint("w", timeout=0.01)

        assert caught.value.outcome == "not written"
        assert engine.events() == []

    def test_checkpoint_when_another_thread_waits_for_the_lock_then_timeout_counts_all_the_same(
        self, open_engine: OpenEngine, disk_target: str
    ) -> None:
        engine = open_engine()
        impatient: list[BaseException] = []
        first = threading.Thread(target=engine.checkpoint, args=["w"])

        def hurry() -> None:
            try:
                engine.checkpoint("v", timeout=0.01)
            except holdfast.StoreBusy as busy:
                impatient.append(busy)

        second = threading.Thread(target=hurry)
        with locked(disk_target):
            first.start()
            second.start()
            second.join(timeout=2)
            gave_up = not second.is_alive()
        first.join()
        second.join()

        assert gave_up
        assert len(impatient) == 1
