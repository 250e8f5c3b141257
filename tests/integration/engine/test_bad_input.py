"""What bad input gets: an error that names it, and nothing written; and what good input gets."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import holdfast
import pytest

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]

LEVELS = 200


def nested(levels: int) -> dict[str, Any]:
    """Return that many objects inside each other."""
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"k": value}
    return value


def nested_list(levels: int) -> dict[str, Any]:
    value: list[Any] = []
    for _ in range(levels - 2):
        value = [value]
    return {"k": value}


def cycle() -> dict[str, Any]:
    value: dict[str, Any] = {"a": []}
    value["a"].append(value)
    return value


BAD_PARTS: dict[str, tuple[Any, str]] = {
    "empty": ("", "must not be empty"),
    "too long": ("x" * 201, "201 bytes.*200"),
    "too long in UTF-8": ("é" * 101, "202 bytes.*200"),
    "newline": ("a\nb", "control characters"),
    "nul": ("a\0b", "control characters"),
    "c1": ("a\x85b", "control characters"),
    "surrogate": ("a\udc80", "lone surrogates"),
    "number": (5, "must be a string, not int"),
    "bytes": (b"w", "must be a string, not bytes"),
}

BAD_STATES: dict[str, tuple[Any, str, str]] = {
    "nan": ({"a": [math.nan]}, "state.a[0]", "nan is not JSON"),
    "infinity": ({"a": -math.inf}, "state.a", "-inf is not JSON"),
    "bytes": ({"a": {"b": b"x"}}, "state.a.b", "bytes is not JSON"),
    "tuple": ({"a": (1, 2)}, "state.a", "tuple is not JSON"),
    "set": ({"a": {1}}, "state.a", "set is not JSON"),
    "datetime": (
        {"messages": [0, 1, 2, {"when": datetime(2026, 1, 1, tzinfo=UTC)}]},
        "state.messages[3].when",
        "datetime is not JSON; convert it first",
    ),
    "subclass": ({"a": OrderedDict()}, "state.a", "OrderedDict is not JSON"),
    "enum": ({"a": holdfast.CheckpointStatus.ACTIVE}, "state.a", "CheckpointStatus is not JSON"),
    "number as key": ({"a": {1: "x"}}, "state.a", "key 1 is int"),
    "none as key": ({None: "x"}, "state", "key None is NoneType"),
    "surrogate": ({"a": ["\udc80"]}, "state.a[0]", "lone surrogate"),
    "surrogate in key": ({"a": {"\ud800": 1}}, "state.a", "lone surrogate"),
    "cycle": (cycle(), "state.a[0]", "contains itself"),
    "201 objects": (nested(LEVELS + 1), "state.k.k", "deeper than 200 levels"),
    "201 lists": (nested_list(LEVELS + 1), "state.k[0]", "deeper than 200 levels"),
    "4001 digits": ({"a": 10**4000}, "state.a", "4,000 digits"),
    "odd key": ({"a b": {"": (1,)}}, "state['a b']['']", "tuple is not JSON"),
}

GOOD_STATES: dict[str, dict[str, Any]] = {
    "empty": {},
    "atoms": {"none": None, "true": True, "one": 1, "float": 1.0, "false": False, "zero": 0},
    "minus zero": {"a": -0.0, "b": [-0.0, 0.0]},
    "floats": {"a": [5e-324, 1.7976931348623157e308, 0.1, 1e16, 123456789.123456789]},
    "64 bits": {"a": [2**63 - 1, -(2**63), 2**64 - 1]},
    "long integers": {"a": 10**4000 - 1, "b": [-(10**3999), 2**64]},
    "empty keys": {"": {"": ""}, " ": " "},
    "unicode": {"é": "e\u0301", "\u2028": "😀\0\x7f", 'quote"': "\\"},
    "200 objects": nested(LEVELS),
    "200 lists": nested_list(LEVELS),
}


class TestIds:
    @pytest.mark.parametrize("bad", BAD_PARTS)
    @pytest.mark.parametrize("part", ["workflow_id", "stage_id", "agent_id"])
    def test_checkpoint_when_a_part_cannot_be_one_then_error_names_part_and_rule(
        self, engine: holdfast.Engine, part: str, bad: str
    ) -> None:
        value, rule = BAD_PARTS[bad]
        scope: dict[str, Any] = {"workflow_id": "w", "stage_id": "s", "agent_id": "a", part: value}

        with pytest.raises(holdfast.InvalidId, match=f"{part} .*{rule}") as caught:
            engine.checkpoint(**scope)

        assert (caught.value.what, caught.value.value) == (part, value)
        assert engine.events() == []

    def test_checkpoint_when_an_agent_has_no_stage_then_error_says_what_it_needs(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(holdfast.InvalidId, match="an agent needs a stage_id"):
            engine.checkpoint("w", agent_id="a")

        assert engine.events() == []

    @pytest.mark.parametrize(
        "part", ["x" * 200, "é" * 100, "a/b", "@", "%", "..", "CON", " ", ".hidden", "😀", "a\xa0b"]
    )
    def test_checkpoint_when_people_name_things_so_then_accepted(
        self, engine: holdfast.Engine, part: str
    ) -> None:
        written = engine.checkpoint(part, stage_id=part, agent_id=part)

        assert engine.get(str(written.id)).id == written.id
        assert (written.id.workflow_id, written.id.stage_id, written.id.agent_id) == (part,) * 3

    @pytest.mark.parametrize(
        "text",
        ["", "w", "@1", "w@", "w@0", "w@-1", "w@01", "w@1.0", "w@x", "w@\u0661", "a/b/c/d@1"]
        + ["w//a@1", "w%2f@1", "w%20@1", "w%@1", "a@b@1", "w@9223372036854775808", "w/@1"],
    )
    def test_get_when_text_is_no_id_then_error_says_what_one_reads_like(
        self, engine: holdfast.Engine, text: str
    ) -> None:
        engine.checkpoint("w")

        with pytest.raises(holdfast.InvalidId, match="is not valid"):
            engine.get(text)

    @pytest.mark.parametrize("bad", ["empty", "too long", "newline", "surrogate", "none", "bytes"])
    def test_run_when_a_name_cannot_be_one_then_error_names_it(
        self, engine: holdfast.Engine, bad: str
    ) -> None:
        value, rule = {**BAD_PARTS, "none": (None, "must be a string, not NoneType")}[bad]

        with pytest.raises(holdfast.InvalidId, match=f"workflow_id .*{rule}"):
            engine.run(value)
        with engine.run("w") as run:
            before = engine.events()
            with pytest.raises(holdfast.InvalidId, match=f"step name .*{rule}"):
                run.step(value, int)
            with pytest.raises(holdfast.InvalidId, match=f"stage name .*{rule}"):
                run.stage(value)
            with pytest.raises(holdfast.InvalidId, match=f"barrier name .*{rule}"):
                run.barrier(value)
            assert engine.events() == before

    @pytest.mark.parametrize("bad", ["empty", "newline", "surrogate"])
    def test_registry_when_a_handler_name_cannot_be_one_then_refused(self, bad: str) -> None:
        value, rule = BAD_PARTS[bad]

        with pytest.raises(holdfast.InvalidId, match=f"handler name .*{rule}"):
            holdfast.Registry().handler(value)


class TestStates:
    @pytest.mark.parametrize("bad", BAD_STATES)
    def test_checkpoint_when_state_is_not_json_then_error_names_the_path(
        self, engine: holdfast.Engine, bad: str
    ) -> None:
        state, path, problem = BAD_STATES[bad]

        with pytest.raises(holdfast.StateNotSerializable) as caught:
            engine.checkpoint("w", state=state)

        assert caught.value.path.startswith(path)
        assert problem in str(caught.value)
        assert engine.events() == []

    @pytest.mark.parametrize("where", ["patch", "input", "output", "metadata"])
    def test_checkpoint_when_another_value_is_not_json_then_path_begins_with_its_name(
        self, engine: holdfast.Engine, where: str
    ) -> None:
        values: dict[str, Any] = {where: {"a": [(1,)]}}

        whose = " of w" if where in ("input", "output") else ""
        with pytest.raises(holdfast.StateNotSerializable, match=rf"^{where}{whose}\.a\[0\]: tuple"):
            engine.checkpoint("w", **values)

        assert engine.events() == []

    def test_complete_when_output_is_not_json_then_nothing_is_closed(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="workflow_start")
        before = engine.events()

        with pytest.raises(holdfast.StateNotSerializable, match=r"^output of w: set"):
            engine.complete("w@1", {1})

        assert engine.events() == before

    @pytest.mark.parametrize("which", ["state", "patch"])
    @pytest.mark.parametrize("value", [[], "x", 0, False, OrderedDict()])
    def test_checkpoint_when_state_is_no_object_then_refused(
        self, engine: holdfast.Engine, which: str, value: Any
    ) -> None:
        values: dict[str, Any] = {which: value}

        with pytest.raises(holdfast.InvalidRequest, match=f"{which} must be a JSON object"):
            engine.checkpoint("w", **values)

        assert engine.events() == []

    def test_checkpoint_when_both_state_and_patch_then_refused(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=r"both state .* and patch"):
            engine.checkpoint("w", state={}, patch={})

        assert engine.events() == []

    @pytest.mark.parametrize("where", ["state", "patch", "input", "output"])
    def test_checkpoint_when_over_the_limit_then_error_has_both_sizes_and_the_largest_keys(
        self, engine: holdfast.Engine, where: str
    ) -> None:
        value = {"log": "x" * (6 << 20), "small": 1, "pages": ["y" * 1000] * 5000, "tiny": ""}
        values: dict[str, Any] = {where: value}

        with pytest.raises(holdfast.StateTooLarge) as caught:
            engine.checkpoint("w", **values)

        whose = " of w" if where in ("input", "output") else ""
        assert (caught.value.what, caught.value.limit) == (f"{where}{whose}", 10 << 20)
        assert caught.value.size > caught.value.limit
        assert [key for key, _ in caught.value.largest][:2] == ["log", "pages"]
        assert caught.value.largest[0][1] == (6 << 20) + 2
        assert all(part in str(caught.value) for part in ("10.8 MiB", "10.0 MiB", "log", "pages"))
        assert engine.events() == []

    def test_checkpoint_when_just_within_the_limit_then_accepted(
        self, engine: holdfast.Engine
    ) -> None:
        rest = len('{"a":""}')
        state = {"a": "x" * ((10 << 20) - rest)}

        written = engine.checkpoint("w", state=state)

        assert written.state == state
        with pytest.raises(holdfast.StateTooLarge):
            engine.checkpoint("w", state={"a": state["a"] + "x"})

    def test_checkpoint_when_the_limit_is_set_then_that_one_counts(
        self, open_any: OpenEngine
    ) -> None:
        engine = open_any(settings=holdfast.Settings(max_state_bytes=20))
        engine.checkpoint("w", state={"a": "x" * 12})

        with pytest.raises(holdfast.StateTooLarge) as caught:
            engine.checkpoint("w", state={"a": "x" * 13})

        assert (caught.value.size, caught.value.limit) == (21, 20)
        assert len(engine.list()) == 1

    @pytest.mark.parametrize("good", GOOD_STATES)
    def test_checkpoint_when_state_is_json_then_equal_in_value_and_type(
        self, engine: holdfast.Engine, good: str
    ) -> None:
        state = GOOD_STATES[good]

        written = engine.checkpoint("w", state=state, output=state)
        engine.checkpoint("w", stage_id="s", patch={"short": 1}, input=state)

        found = engine.get(written.id)
        context = engine.context("w")
        assert_same(found.state, state)
        assert_same(found.output, state)
        assert_same(context.workflow_state, state)
        assert_same(engine.get("w/s@2").input, state)

    def test_checkpoint_when_refused_then_the_next_takes_the_number(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w")
        with pytest.raises(holdfast.StateNotSerializable):
            engine.checkpoint("w", state={"a": math.nan})

        assert engine.checkpoint("w").id.sequence == 2


@pytest.mark.parametrize("timeout", [math.nan, math.inf, -1, 1e10])
def test_checkpoint_when_nobody_can_wait_so_long_then_refused_and_nothing_written(
    open_any: OpenEngine, timeout: float
) -> None:
    engine = open_any()

    with pytest.raises(holdfast.InvalidRequest, match=r"timeout is .*seconds from 0 to"):
        engine.checkpoint("wf", timeout=timeout)

    assert engine.list() == []
    assert engine.checkpoint("wf", timeout=0).id.sequence == 1


class TestAliasing:
    def test_checkpoint_when_what_was_handed_in_changes_then_the_stored_does_not(
        self, engine: holdfast.Engine
    ) -> None:
        state: dict[str, Any] = {"a": [1]}
        metadata: dict[str, Any] = {"tags": ["x"]}
        written = engine.checkpoint("w", state=state, input=state, metadata=metadata)

        state["a"].append(2)
        metadata["tags"].append("y")

        assert (written.state, written.input) == ({"a": [1]}, {"a": [1]})
        assert engine.get(written.id).state == {"a": [1]}
        assert engine.get(written.id).metadata == written.metadata == {"tags": ["x"]}

    def test_get_when_what_it_returned_changes_then_the_stored_does_not(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", state={"a": [1]}, output=[1], metadata={"tags": ["x"]})
        found = engine.get("w@1")

        found.state["a"].append(2)
        found.output.append(2)
        tags: Any = found.metadata["tags"]
        tags.append("y")
        engine.context("w").workflow_state["a"].append(3)

        again = engine.get("w@1")
        assert (again.state, again.output, again.metadata) == ({"a": [1]}, [1], {"tags": ["x"]})
        assert engine.context("w").workflow_state == {"a": [1]}


class TestOtherArguments:
    @pytest.mark.parametrize("name", [5, b"x", "a\udc80", ["x"]], ids=repr)
    @pytest.mark.parametrize("argument", ["name", "resume_handler"])
    def test_checkpoint_when_a_name_is_no_text_then_refused_and_the_store_is_as_it_was(
        self, engine: holdfast.Engine, argument: str, name: Any
    ) -> None:
        engine.checkpoint("w", name="good")
        before = engine.events()

        with pytest.raises((holdfast.HoldfastError, TypeError, ValueError)):
            engine.checkpoint("w", **{argument: name})

        assert engine.events() == before
        assert engine.latest("w").name == "good"

    def test_checkpoint_when_retries_are_negative_then_refused(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=r"max_retries .*-1"):
            engine.checkpoint("w", max_retries=-1)

        assert engine.events() == []

    @pytest.mark.parametrize(
        "bad", [{"max_retries": -1}, {"lease": 0}, {"lease": -5.0}, {"silence": -1.0}], ids=repr
    )
    def test_run_when_a_number_makes_no_sense_then_refused(
        self, engine: holdfast.Engine, bad: dict[str, Any]
    ) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=next(iter(bad))):
            engine.run("w", **bad)

        assert engine.events() == []

    @pytest.mark.parametrize(
        "bad",
        [{"retries": -1}, {"timeout": -1.0}, {"changed_input": "re-run"}],
        ids=repr,
    )
    def test_using_when_an_option_makes_no_sense_then_refused(
        self, engine: holdfast.Engine, bad: dict[str, Any]
    ) -> None:
        with engine.run("w") as run, pytest.raises(ValueError, match=next(iter(bad))):
            run.using(**bad).step("s", int)

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"max_age": 90}, r"max_age is 90; give a timedelta"),
            ({"before": "2026-01-01"}, r"before is '2026-01-01'; give a datetime"),
        ],
        ids=repr,
    )
    def test_purge_when_a_time_is_none_then_error_says_what_to_give(
        self, engine: holdfast.Engine, wrong: dict[str, Any], says: str
    ) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=says):
            engine.purge(**wrong)

    def test_purge_every_when_a_number_is_given_then_error_says_what_to_give(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=r"interval is 60; give a timedelta"):
            engine.purge_every(60)  # type: ignore[arg-type]

    def test_step_when_its_function_is_none_then_error_names_the_step(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            with pytest.raises(holdfast.InvalidRequest, match=r"of step w/a is 5; give a function"):
                run.step("a", 5)  # type: ignore[arg-type]
            with pytest.raises(holdfast.InvalidRequest, match=r"of step w/s/b is None; give a fu"):
                stage.step("b", None)  # type: ignore[arg-type]
            with pytest.raises(holdfast.InvalidRequest, match=r"of a map in w/s is 'c'; give a f"):
                stage.map("c", [1])  # type: ignore[arg-type]

    @pytest.mark.parametrize("limit", [-1, -5])
    def test_list_when_limit_is_negative_then_error_names_it(
        self, engine: holdfast.Engine, limit: int
    ) -> None:
        engine.checkpoint("w")

        with pytest.raises(holdfast.InvalidRequest, match="limit"):
            engine.list(limit=limit)

    def test_checkpoint_when_metadata_is_too_large_then_refused(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(holdfast.StateTooLarge, match=r"^metadata has") as caught:
            engine.checkpoint("w", metadata={"a": "x" * (16 << 10)})

        assert (caught.value.size, caught.value.limit) == ((16 << 10) + 8, 16 << 10)
        assert engine.events() == []

    @pytest.mark.parametrize("metadata", [{"a": 2**64}, {"a": [2**64]}], ids=["flat", "nested"])
    def test_checkpoint_when_metadata_has_long_integers_then_refused(
        self, engine: holdfast.Engine, metadata: dict[str, Any]
    ) -> None:
        with pytest.raises(holdfast.HoldfastError, match="metadata"):
            engine.checkpoint("w", metadata=metadata)

        assert engine.events() == []

    @pytest.mark.parametrize(
        "settings",
        [{"write_timeout": -1}, {"lease": 0}, {"silence": -1}, {"max_state_bytes": 0}],
        ids=repr,
    )
    def test_settings_when_a_value_makes_no_sense_then_error_names_it(
        self, settings: dict[str, Any]
    ) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=next(iter(settings))):
            holdfast.Settings(**settings)

    @pytest.mark.parametrize("target", ["", "sqlite:///", "postgres://host/db", "a\0b"])
    def test_open_when_target_names_no_store_then_refused(self, target: str) -> None:
        with pytest.raises(holdfast.InvalidRequest, match="give a path"):
            holdfast.open(target)

    def test_open_when_durability_is_unknown_then_error_lists_them(self, target: str) -> None:
        with pytest.raises(holdfast.InvalidRequest, match="power or process"):
            holdfast.open(target, durability="none")


def assert_same(found: Any, expected: Any) -> None:
    """Hold *found* against *expected* in value and in type, signs of zeros included."""
    assert type(found) is type(expected)
    if type(expected) is dict:
        assert set(found) == set(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif type(expected) is list:
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif type(expected) is float:
        assert found.hex() == expected.hex()
    else:
        assert found == expected


class TestOpening:
    def test_open_when_settings_are_a_mapping_then_used(self, target: str) -> None:
        with (
            holdfast.open(target, settings={"max_state_bytes": 20}) as engine,
            pytest.raises(holdfast.StateTooLarge, match="20 bytes"),
        ):
            engine.checkpoint("w", state={"n": "a" * 30})

    def test_open_when_a_setting_is_unknown_then_error_names_the_nearest(self, target: str) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=r"'laese' \(did you mean 'lease'\?"):
            holdfast.open(target, settings={"laese": 20})

    @pytest.mark.parametrize("wrong", ["20", None, True])
    def test_open_when_a_setting_is_no_number_then_error_names_it(
        self, target: str, wrong: Any
    ) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=r"lease is .*; give a number"):
            holdfast.open(target, settings={"lease": wrong})

    def test_open_when_settings_are_neither_then_error_says_what_to_give(self, target: str) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=r"give a holdfast\.Settings"):
            holdfast.open(target, settings=20)  # type: ignore[arg-type]

    @pytest.mark.parametrize("wrong", [{"days": 3}, 30, {}], ids=repr)
    def test_open_when_retention_is_none_then_error_says_what_to_give(
        self, target: str, wrong: Any
    ) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=r"retention is .*; give a holdfast\.Ret"):
            holdfast.open(target, retention=wrong)

    def test_open_when_told_not_to_create_then_a_missing_store_is_an_error(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "none.db"

        with pytest.raises(holdfast.StorageUnavailable, match="there is no store at"):
            holdfast.open(path, create=False)

        assert not path.exists()
        holdfast.open(path).close()
        holdfast.open(path, create=False).close()
