"""The states that are measured with."""

from __future__ import annotations

import copy
import json
import zlib

import pytest
from holdfast.interface.bench.finding import Goal
from holdfast.interface.bench.states import Changing


@pytest.mark.parametrize("size", [2_000, 20_000, 1_000_000, 10_000_000])
def test_state_when_made_then_it_has_nearly_the_size_and_never_more(size: int) -> None:
    changing = Changing(size)

    length = len(json.dumps(changing.next(), separators=(",", ":")))

    assert 0.8 * size <= length <= size


def test_state_when_changed_then_one_message_and_the_step_are_different() -> None:
    changing = Changing(20_000)
    before = copy.deepcopy(changing.next())

    after = changing.next()

    assert after["step"] == before["step"] + 1
    logs = zip(before["log"], after["log"], strict=True)
    assert sum(old != new for old, new in logs) == 1


def test_state_when_made_twice_then_it_is_the_same() -> None:
    assert Changing(5_000).next() == Changing(5_000).next()


def test_state_when_compressed_then_it_behaves_like_text() -> None:
    held = json.dumps(Changing(200_000).next()).encode()

    assert 1.5 < len(held) / len(zlib.compress(held)) < 6


@pytest.mark.parametrize(
    ("value", "applies", "expected"), [(4.9, True, True), (5.0, True, False), (1.0, False, None)]
)
def test_goal_when_asked_then_it_is_met_below_its_limit_and_unjudged_at_another_size(
    value: float, applies: bool, expected: bool | None
) -> None:
    assert Goal("p90", 5.0, value, applies).is_met is expected
