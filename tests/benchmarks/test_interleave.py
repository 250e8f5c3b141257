"""The way in which things are compared."""

from __future__ import annotations

import pytest

from .interleave import Absent, Rounds, interleaved


def test_sides_when_run_then_one_round_warms_up_and_the_order_is_turned_each_time() -> None:
    ran: list[str] = []

    def side(name: str) -> float:
        ran.append(name)
        return float(len(ran))

    measured = interleaved({"a": lambda: side("a"), "b": lambda: side("b")}, 5)

    assert ran == [*"ab", *"abbaabbaab"]
    assert measured.seconds == {"a": [3, 6, 7, 10, 11], "b": [4, 5, 8, 9, 12]}


def test_ratio_when_one_round_is_disturbed_then_the_medians_do_not_mind() -> None:
    rounds = Rounds({"ours": [1.0, 1.0, 90.0, 1.0, 1.0], "theirs": [2.0, 2.0, 2.0, 2.0, 2.0]})

    assert rounds.ratio("theirs", "ours") == 2
    assert rounds.spread("theirs", "ours") == (2 / 90, 2)


def test_rounds_when_fewer_than_five_then_they_are_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 5"):
        interleaved({"a": lambda: 1.0}, 4)


def test_side_when_it_cannot_run_then_the_others_do_and_it_is_told_why() -> None:
    measured = interleaved({"a": lambda: 1.0, "b": Absent("not here")}, 5)

    assert list(measured.seconds) == ["a"]
    assert measured.absent == {"b": "not here"}
