"""JSON: what is let through comes back equal in value and type, and nothing else is let through."""

from __future__ import annotations

import copy
import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, TypeAlias

import pytest
from holdfast.domain.errors import StateNotSerializable
from holdfast.domain.json_value import MAX_DEPTH, canonical, check_json, is_json, merge_patch
from holdfast.domain.payload import JsonText, same_json
from holdfast.infrastructure.json_codec import JsonCodec
from hypothesis import example, given, settings
from hypothesis import strategies as st

Json: TypeAlias = Any

quick = settings(deadline=None, max_examples=100)


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Text(str):
    __slots__ = ()


# A handful of values that are easily taken for each other, and everything else.
confusable = st.sampled_from([None, 0, 0.0, -0.0, False, True, 1, 1.0, "", "1", "null"])
atoms = (
    confusable
    | st.integers()
    | st.integers(-(10**3999), 10**3999)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8)
)
keys = st.sampled_from(["", "a", "b", "a.b", "\n", "\u00e9"]) | st.text(
    st.characters(codec="utf-8"), max_size=4
)


def containers(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)


values = st.recursive(atoms, containers, max_leaves=12)

# What JSON cannot hold and what Python's own encoder lets through in another shape, or not at all.
foreign = st.one_of(
    st.sampled_from(
        [
            math.nan,
            math.inf,
            -math.inf,
            (),
            (1, 2),
            {1},
            frozenset(),
            b"x",
            bytearray(),
            1j,
            Decimal(1),
            datetime(2024, 1, 1, tzinfo=UTC),
            date(2024, 1, 1),
            Colour.RED,
            Level.LOW,
            Text("x"),
            object(),
            len,
        ]
    ),
    st.binary(max_size=3),
    st.tuples(st.integers()),
)
# What is_json leaves to the encoder.
left_to_encoder = st.sampled_from(
    [
        "\ud800",
        "a\udfffb",
        {"\udabc": 1},
        10**4000,
        -(10**4000),
        10**4299,
        {1: "x"},
        {None: "x"},
        {True: "x"},
        {1.5: "x"},
        {(1,): "x"},
        {Colour.RED: "x"},
        {Text("x"): "x"},
    ]
)


def same(one: Json, other: Json) -> bool:
    """Whether two values are equal in value and type, all the way down."""
    if type(one) is not type(other):
        return False
    if type(one) is dict:
        kinds = {type(key) for key in (*one, *other)} <= {str}
        return (
            kinds and one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
        )
    if type(one) is list:
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is float:
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return bool(one == other)


def survives(value: Json) -> bool:
    """Whether *value* goes through JSON text in UTF-8 and comes back as it was."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError):
        return False
    return same(json.loads(text), value)


def is_encoded(value: object) -> bool:
    """Whether what users hand in is taken, by the quick check and the encoder together."""
    try:
        JsonCodec().encode(value, "state")
    except StateNotSerializable:
        return False
    return True


def passes(value: object) -> bool:
    try:
        check_json(value, "state")
    except StateNotSerializable:
        return False
    return True


# The comparison itself: one that takes everything for the same would prove nothing.
@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (1, 1.0), (0.0, -0.0), ([1], [True]), ({"a": 1}, {"a": 1.0})]
)
def test_same_when_python_holds_values_equal_then_their_types_tell_them_apart(
    one: object, other: object
) -> None:
    assert one == other
    assert not same(one, other)


@quick
@given(values)
def test_value_when_it_is_json_then_it_passes_and_comes_back_equal_in_value_and_type(
    value: Json,
) -> None:
    check_json(value, "state")

    assert is_json(value)
    assert survives(value)


@quick
@given(st.recursive(atoms | foreign, containers, max_leaves=8))
@example([{}])
@example([[]])
def test_value_when_it_is_anything_then_it_passes_if_and_only_if_it_comes_back(
    value: object,
) -> None:
    assert passes(value) is survives(value)
    assert is_json(value) is survives(value)


@quick
@given(st.recursive(atoms | foreign | left_to_encoder, containers, max_leaves=8))
def test_value_when_it_passes_the_full_check_then_it_passes_the_quick_one(value: object) -> None:
    if passes(value):
        assert is_json(value)
    assert is_encoded(value) is passes(value)


steps = st.lists(keys | st.integers(0, 3), max_size=6)


def wrap(core: object, path: list[str | int]) -> object:
    """Return *core* at the end of *path*, with innocent neighbours; an integer is an index."""
    for step in reversed(path):
        core = [0] * step + [core, 0] if isinstance(step, int) else {"other": [0], step: core}
    return core


def written(path: list[str | int]) -> str:
    """Return how an error names *path*."""
    text = "state"
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if step.isidentifier() else f"[{step!a}]"
    return text


@quick
@given(steps, foreign)
def test_value_when_one_thing_in_it_is_not_json_then_both_refuse_it_and_the_path_is_named(
    path: list[str | int], thing: object
) -> None:
    value = wrap(thing, path)

    assert not is_json(value)
    with pytest.raises(StateNotSerializable) as caught:
        check_json(value, "state")
    assert caught.value.path == written(path)
    assert str(caught.value).encode()


@quick
@given(steps, left_to_encoder)
def test_value_when_the_encoder_would_fail_then_the_check_says_where(
    path: list[str | int], thing: object
) -> None:
    with pytest.raises(StateNotSerializable) as caught:
        JsonCodec().encode(wrap(thing, path), "state")

    assert caught.value.path.startswith(written(path))


@quick
@given(st.integers(MAX_DEPTH - 3, MAX_DEPTH + 3), st.integers(0, 2**MAX_DEPTH), confusable)
def test_value_when_it_is_deep_then_two_hundred_levels_pass_and_no_more(
    levels: int, mixture: int, leaf: object
) -> None:
    value = leaf
    for level in range(levels):
        value = [value] if mixture >> level & 1 else {"k": value}

    assert passes(value) is is_json(value) is (levels <= MAX_DEPTH)


@quick
@given(values, steps)
def test_value_when_it_contains_itself_then_both_refuse_it(
    sibling: Json, path: list[str | int]
) -> None:
    ring: list[object] = [sibling]
    ring.append(wrap(ring, path))

    assert not is_json(ring)
    with pytest.raises(StateNotSerializable, match="it contains itself"):
        check_json(ring, "state")


def reordered(value: Json) -> Json:
    """Return *value* with its keys in another order."""
    if type(value) is dict:
        return {key: reordered(value[key]) for key in reversed(value)}
    if type(value) is list:
        return [reordered(each) for each in value]
    return value


small = st.recursive(
    confusable,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=4,
)


@quick
@given(values)
def test_canonical_when_keys_come_in_another_order_then_the_text_is_one(value: Json) -> None:
    assert canonical(value) == canonical(reordered(value))
    assert canonical(value).isascii()
    assert same(json.loads(canonical(value)), value)


@settings(deadline=None, max_examples=200)
@given(small, small)
def test_canonical_when_two_values_are_compared_then_texts_are_equal_exactly_if_they_are(
    one: Json, other: Json
) -> None:
    assert (canonical(one) == canonical(other)) is same(one, other)
    texts = [JsonText(json.dumps(value, indent=1).encode()) for value in (one, other)]
    assert same_json(*texts) is same(one, other)


def merged_by_paths(target: Json, patch: Json) -> Json:
    """Merge by another way than the one under test: leaf by leaf, from a list of paths.

    A patch says three things of paths: an object stands there, a value stands there, nothing does.
    """
    result = copy.deepcopy(target)
    for path, kind, value in list(orders(patch, ())):
        if not path:
            result = (result if type(result) is dict else {}) if kind == "object" else value
            continue
        place = result
        for key in path[:-1]:
            place = place[key]
        if kind == "nothing":
            place.pop(path[-1], None)
        elif kind == "value":
            place[path[-1]] = value
        elif type(place.get(path[-1])) is not dict:
            place[path[-1]] = {}
    return copy.deepcopy(result)


def orders(patch: Json, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], str, Json]]:
    if type(patch) is not dict:
        return [(path, "nothing" if patch is None and path else "value", patch)]
    inner = [order for key in patch for order in orders(patch[key], (*path, key))]
    return [(path, "object", None), *inner]


documents = st.recursive(
    confusable,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=10,
)
objects = st.dictionaries(st.sampled_from("abc"), documents, max_size=3)


@settings(deadline=None, max_examples=200)
@given(documents | objects, documents | objects)
@example({"a": {"b": 1}}, {"a": {"b": None}})
@example({"a": 1}, {"a": {"b": {"c": None}}})
def test_merge_patch_when_compared_with_a_plain_model_then_it_is_the_same(
    target: Json, patch: Json
) -> None:
    before = copy.deepcopy((target, patch))

    merged = merge_patch(target, patch)

    assert same(merged, merged_by_paths(target, patch))
    assert same(target, before[0])
    assert same(patch, before[1])


@quick
@given(documents | objects, documents | objects)
def test_merge_patch_when_applied_twice_then_once_was_enough(target: Json, patch: Json) -> None:
    once = merge_patch(target, patch)

    assert same(merge_patch(once, patch), once)


@quick
@given(documents | objects)
def test_merge_patch_when_the_patch_is_empty_then_an_object_stays_and_all_else_goes(
    target: Json,
) -> None:
    assert same(merge_patch(target, {}), target if type(target) is dict else {})


@quick
@given(documents, objects)
def test_merge_patch_when_merged_into_nothing_then_no_null_is_left_in_its_objects(
    target: Json, patch: Json
) -> None:
    def nulls(value: Json) -> bool:
        return type(value) is dict and any(each is None or nulls(each) for each in value.values())

    assert not nulls(merge_patch({}, patch))
