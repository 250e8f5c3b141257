"""What JSON can hold, named by path; merge patches; the canonical text."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import OrderedDict, UserDict, deque
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from holdfast.domain.errors import StateNotSerializable
from holdfast.domain.json_value import (
    MAX_DEPTH,
    MAX_DIGITS,
    canonical,
    check_json,
    is_json,
    merge_patch,
)
from holdfast.infrastructure.json_codec import JsonCodec


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Point(NamedTuple):
    x: int


class Text(str):
    __slots__ = ()


class Number(int):
    pass


def nested_lists(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def nested_dicts(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"leaf": 1}
    for _ in range(levels - 1):
        value = {"k": value}
    return value


LEGAL = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    2**64,
    -(10**MAX_DIGITS) + 1,
    10**MAX_DIGITS - 1,
    0.0,
    -0.0,
    1.0,
    5e-324,
    1.7976931348623157e308,
    "",
    "\0\x1f\x7f\u2028🦑",
    [],
    {},
    {"": {"": [""]}},
    {"a/b": 1, "\n": 2, "🦑": 3},
    [[1, [2.5, ["x", None]]], {"a": [{}]}],
    nested_lists(MAX_DEPTH),
    nested_dicts(MAX_DEPTH),
]


@pytest.mark.parametrize("value", LEGAL, ids=range(len(LEGAL)))
def test_check_when_value_is_json_then_it_passes_both_ways(value: object) -> None:
    check_json(value, "state")

    assert is_json(value)


ILLEGAL_TYPES = [
    b"x",
    bytearray(b"x"),
    (1, 2),
    {1},
    frozenset([1]),
    datetime(2024, 1, 1, tzinfo=UTC),
    date(2024, 1, 1),
    Decimal(1),
    Fraction(1, 2),
    1j,
    object(),
    range(3),
    deque([1]),
    OrderedDict(a=1),
    UserDict(a=1),
    Colour.RED,
    Level.LOW,
    Point(1),
    Text("x"),
    Number(1),
    int,
    len,
]


@pytest.mark.parametrize("value", ILLEGAL_TYPES, ids=lambda value: type(value).__name__)
def test_check_when_value_is_of_another_type_then_the_error_names_path_and_type(
    value: object,
) -> None:
    state = {"messages": [0, 1, 2, {"when": value}]}

    assert not is_json(state)
    with pytest.raises(StateNotSerializable) as caught:
        check_json(state, "state")
    assert caught.value.path == "state.messages[3].when"
    assert str(caught.value) == (
        f"state.messages[3].when: {type(value).__name__} is not JSON; convert it first"
    )


@pytest.mark.parametrize(
    ("value", "path", "problem"),
    [
        (math.nan, "state", "nan is not JSON"),
        (math.inf, "state", "inf is not JSON"),
        ({"a": [-math.inf]}, "state.a[0]", "-inf is not JSON"),
        ({"a": {1: "x"}}, "state.a", "the key 1 is int; JSON keys are strings"),
        ({None: "x"}, "state", "the key None is NoneType"),
        ({True: "x"}, "state", "the key True is bool"),
        ({("a", "b"): "x"}, "state", "is tuple"),
        ({Colour.RED: "x"}, "state", "is Colour"),
        ({Text("a"): "x"}, "state", "is Text"),
        (nested_lists(MAX_DEPTH + 1), f"state{'[0]' * MAX_DEPTH}", "deeper than 200 levels"),
        (nested_dicts(MAX_DEPTH + 1), f"state{'.k' * MAX_DEPTH}", "deeper than 200 levels"),
    ],
    ids=range(11),
)
def test_check_when_value_breaks_a_rule_then_both_refuse_it_and_the_error_names_the_path(
    value: object, path: str, problem: str
) -> None:
    for check in (check_json, JsonCodec().encode):
        with pytest.raises(StateNotSerializable) as caught:
            check(value, "state")
        assert caught.value.path == path
        assert problem in caught.value.problem


@pytest.mark.parametrize(
    ("value", "path", "problem"),
    [
        ("\ud800", "state", "lone surrogate"),
        ({"a": ["x\udfff"]}, "state.a[0]", "lone surrogate"),
        ({"b": {"\ud800": 1}}, "state.b, key '\\ud800'", "lone surrogate"),
        ([10**MAX_DIGITS], "state[0]", "at most 4,000 digits"),
        ([-(10**MAX_DIGITS)], "state[0]", "at most 4,000 digits"),
        ([10**9000], "state[0]", "at most 4,000 digits"),
    ],
    ids=range(6),
)
def test_check_when_value_breaks_what_the_encoder_would_see_then_the_error_names_the_path(
    value: object, path: str, problem: str
) -> None:
    with pytest.raises(StateNotSerializable) as caught:
        check_json(value, "state")

    assert caught.value.path == path
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    ("key", "member"),
    [
        ("plain", "state.plain"),
        ("_x1", "state._x1"),
        ("", "state['']"),
        ("two words", "state['two words']"),
        ("a.b", "state['a.b']"),
        ("1", "state['1']"),
        ("it's", 'state["it\'s"]'),
        ("🦑", "state['\\U0001f991']"),
    ],
)
def test_path_when_a_key_is_unusual_then_it_is_quoted(key: str, member: str) -> None:
    with pytest.raises(StateNotSerializable) as caught:
        check_json({key: b""}, "state")

    assert caught.value.path == member


def test_check_when_a_key_is_an_integer_too_long_to_write_then_it_is_refused_like_any_other() -> (
    None
):
    with pytest.raises(StateNotSerializable, match="JSON keys are strings"):
        check_json({10**5000: 1}, "state")


@pytest.mark.parametrize("times", [1, 2, 100])
def test_check_when_a_list_contains_itself_then_the_error_says_so(times: int) -> None:
    value: list[Any] = [0]
    value += [value] * times

    with pytest.raises(StateNotSerializable, match=r"^state\[1\]: it contains itself"):
        check_json(value, "state")


def test_check_when_a_cycle_is_long_then_the_error_names_where_it_closes() -> None:
    value: dict[str, Any] = {"a": [{}]}
    value["a"][0]["back"] = value

    assert not is_json(value)
    with pytest.raises(StateNotSerializable) as caught:
        check_json(value, "state")
    assert caught.value.path == "state.a[0].back"
    assert "contains itself" in caught.value.problem


def test_check_when_one_value_stands_in_two_places_then_that_is_no_cycle() -> None:
    shared = {"x": [1]}
    value = {"a": shared, "b": [shared, shared], "c": {"d": shared}}

    check_json(value, "state")

    assert is_json(value)


# In a process with limits of its own (1 GiB, 3 s of processor time, of which it should need a
# tenth): what fails here would hang or kill the tests.
_LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (3, 3))
from holdfast.domain.errors import StateNotSerializable
from holdfast.domain.json_value import TooManyValues, check_json, is_json
value = []
{build}
try:
    {call}
except (StateNotSerializable, TooManyValues):
    pass
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits that Linux alone enforces")
@pytest.mark.parametrize(
    ("build", "call"),
    [
        ("for _ in range(45): value = [value, value]", "check_json(value, 'state')"),
        ("value += [value] * 100_000", "is_json(value)"),
        ("value = [[0] * 100_000] * 100_000", "is_json(value)"),
    ],
    ids=["shared at every level", "a cycle of many branches", "one row many times"],
)
def test_check_when_value_is_small_in_memory_and_huge_as_text_then_it_ends_soon(
    build: str, call: str
) -> None:
    program = _LIMITED.format(build=build, call=call)

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert ended.returncode == 0, ended.stderr.decode()[-300:]


# The table of RFC 7396, appendix A, line by line.
RFC_7396 = [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    ('["a","b"]', '["c","d"]', '["c","d"]'),
    ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"),
    ('{"a":"foo"}', '"bar"', '"bar"'),
    ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
    ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
]


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7396)
def test_merge_patch_when_given_the_examples_of_the_rfc_then_their_results_come_out(
    target: str, patch: str, result: str
) -> None:
    assert merge_patch(json.loads(target), json.loads(patch)) == json.loads(result)


def test_merge_patch_when_it_merges_then_neither_side_is_changed() -> None:
    target = {"a": {"b": {"c": 1}}, "d": [1]}
    patch = {"a": {"b": {"c": None, "e": {"f": None}}}, "d": None}

    merged = merge_patch(target, patch)

    assert merged == {"a": {"b": {"e": {}}}}
    assert target == {"a": {"b": {"c": 1}}, "d": [1]}
    assert patch == {"a": {"b": {"c": None, "e": {"f": None}}}, "d": None}


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), (0.0, -0.0), (False, 0), ("1", 1)])
def test_merge_patch_when_python_holds_two_values_equal_then_the_patch_still_counts(
    old: object, new: object
) -> None:
    merged = merge_patch({"a": {"b": old}}, {"a": {"b": new}})

    assert repr(merged["a"]["b"]) == repr(new)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0, False),
        (0.0, -0.0),
        (0, None),
        ("1", 1),
        ("", None),
        ([], {}),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"a": 1.0}),
        ({"a": None}, {}),
        ({"a": "b,c"}, {"a": ["b", "c"]}),
        (10**20, 1e20),
        (2**53 + 1, 2**53),
        ("\u00e9", "e\u0301"),
    ],
)
def test_canonical_when_values_differ_in_value_or_type_then_the_texts_differ(
    one: object, other: object
) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, -0.0]}, '{"a":[true,null,-0.0],"b":1}'),
        ({"b": {"d": 1, "c": 2}}, '{"b":{"c":2,"d":1}}'),
        ("\u00e9🦑", '"\\u00e9\\ud83e\\udd91"'),
        (10**30, "1" + "0" * 30),
    ],
)
def test_canonical_when_written_then_keys_are_sorted_and_all_is_ascii(
    value: object, text: str
) -> None:
    assert canonical(value) == text
