"""What every codec promises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import IntEnum
from typing import Any

import pytest

from ...domain.errors import StateNotSerializable, StateTooLarge
from ...domain.json_value import JsonValue, canonical
from ...domain.ports import Codec

MakeCodec = Callable[[int], Codec]


class Colour(IntEnum):
    RED = 1


class Name(str):
    __slots__ = ()


def _nested(depth: int, innermost: JsonValue = 0) -> JsonValue:
    value = innermost
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    return value


def _cycle() -> list[Any]:
    value: list[Any] = []
    value.append({"again": value})
    return value


# By name: what is in some of them has no text that is the same in every process.
REFUSED: dict[str, tuple[Any, str]] = {
    "not a number": (float("nan"), "state"),
    "infinity": ({"a": [1, float("inf")]}, "state.a[1]"),
    "minus infinity": ({"a": {"b c": float("-inf")}}, "state.a['b c']"),
    "bytes": (b"bytes", "state"),
    "tuple": ({"a": (1, 2)}, "state.a"),
    "set": ([{1, 2}], "state[0]"),
    "datetime": ({"messages": [{}, {"when": datetime.min}]}, "state.messages[1].when"),
    "integer key": ({1: "a"}, "state"),
    "none key": ({"a": {None: 1}}, "state.a"),
    "subclass of int": ({"a": Colour.RED}, "state.a"),
    "subclass of str": ({"a": Name("text")}, "state.a"),
    "key of a subclass of str": ({Name("a"): 1}, "state"),
    "lone surrogate": ({"a": ["\ud800"]}, "state.a[0]"),
    "lone surrogate in a key": ({"a": {"\udfff": 1}}, "state.a"),
    "4,001 digits": ({"a": 10**4000}, "state.a"),
    "4,001 digits below zero": ([-(10**4000)], "state[0]"),
    "201 levels": (_nested(201), "state"),
    "201 levels, empty": (_nested(201, []), "state"),
    "cycle": (_cycle(), "state"),
    "object": (object(), "state"),
    "long integer beside": ({"big": 2**64, "bad": float("nan")}, "state.bad"),
}


class CodecContract:
    """Subclass it for each adapter, with a fixture ``make_codec`` that takes a limit in bytes."""

    @pytest.fixture
    def codec(self, make_codec: MakeCodec) -> Codec:
        return make_codec(1 << 20)

    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            False,
            0,
            -1,
            "",
            [],
            {},
            -0.0,
            [0.0, -0.0],
            0.1 + 0.2,
            1e308,
            5e-324,
            1e16,
            1e22,
            123456789.0,
            2**53 + 1,
            2**63 - 1,
            2**63,
            2**64 - 1,
            2**64,
            -(2**63),
            -(2**63) - 1,
            10**4000 - 1,
            -(10**4000) + 1,
            {"big": 2**64, "float": 1.0, "text": "\u2028 naïve", "-0": -0.0, "e": 1e16},
            {"": {"": []}},
            "naïve ключ 日本語 🚀 \x00 \x1f \x7f \u2028 \ufeff \U0010ffff",
            {"ключ 🗝": '\\ " / \b'},
            " leading space",
            [1, 1.0, True, "1"],
            _nested(200),
            _nested(199, 2**64),
            _nested(199, []),
        ],
        ids=lambda value: ascii(value)[:30],
    )
    def test_decode_when_encoded_then_it_is_equal_in_value_and_type(
        self, codec: Codec, value: JsonValue
    ) -> None:
        text = codec.encode(value, "state")

        assert isinstance(text, bytes)
        assert canonical(codec.decode(text)) == canonical(value)

    @pytest.mark.parametrize(("value", "path"), REFUSED.values(), ids=REFUSED.keys())
    def test_encode_when_json_cannot_hold_it_then_the_error_names_the_path(
        self, codec: Codec, value: Any, path: str
    ) -> None:
        with pytest.raises(StateNotSerializable) as caught:
            codec.encode(value, "state")

        assert caught.value.path.startswith(path)
        assert str(caught.value).startswith(path)

    def test_encode_when_the_text_is_as_long_as_the_limit_then_it_is_taken(
        self, make_codec: MakeCodec
    ) -> None:
        assert make_codec(100).encode("x" * 98, "state") == b'"' + b"x" * 98 + b'"'

    @pytest.mark.parametrize("text", ["x" * 99, "é" * 50])
    def test_encode_when_the_text_is_longer_than_the_limit_then_both_sizes_are_told(
        self, make_codec: MakeCodec, text: str
    ) -> None:
        with pytest.raises(StateTooLarge) as caught:
            make_codec(100).encode(text, "input")

        assert caught.value.what == "input"
        assert (caught.value.size, caught.value.limit) == (len(text.encode()) + 2, 100)

    def test_encode_when_an_object_is_too_large_then_its_largest_members_are_told(
        self, make_codec: MakeCodec
    ) -> None:
        value = {"small": 1, "large": "x" * 60, "larger": ["y" * 80], "big": 10**70}

        with pytest.raises(StateTooLarge) as caught:
            make_codec(100).encode(value, "state")

        assert caught.value.largest == (("larger", 84), ("big", 71), ("large", 62))

    def test_encode_when_a_long_integer_makes_it_too_large_then_it_is_refused(
        self, make_codec: MakeCodec
    ) -> None:
        with pytest.raises(StateTooLarge):
            make_codec(100).encode(10**200, "state")

    def test_encode_when_the_value_is_changed_later_then_the_text_is_not(
        self, codec: Codec
    ) -> None:
        value = {"list": [1]}
        text = codec.encode(value, "state")

        value["list"].append(2)

        assert codec.decode(text) == {"list": [1]}

    def test_decode_when_done_twice_then_the_values_are_independent(self, codec: Codec) -> None:
        text = codec.encode({"list": [1]}, "state")
        first = codec.decode(text)

        first["list"].append(2)

        assert codec.decode(text) == {"list": [1]}

    def test_encode_when_one_value_is_in_several_places_then_that_is_no_cycle(
        self, codec: Codec
    ) -> None:
        shared = [2**64]

        assert codec.decode(codec.encode([shared, {"a": shared}], "state")) == [
            [2**64],
            {"a": [2**64]},
        ]
