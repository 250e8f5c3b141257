"""The table: no row, no goal and no verdict is ever missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from . import figure, report
from .__main__ import main
from .bench import Bench
from .figure import Figure
from .goal import Goal, at_least, at_most, with_unit
from .interleave import Absent, Rounds, interleaved
from .row import Outcome, Row
from .rows.every_row import EVERY_ROW
from .runner import run_one

# Every row of the table of goals, with its bounds, written down a second time: whoever softens a
# goal or loses a row has to do it here, too.
GOALS = {
    "save-2kb": ["≥ 0.8 ×", "≥ 1.1 ×", "≥ 1.9 ×"],
    "save-20kb": ["≥ 0.9 ×", "≥ 1.05 ×"],
    "small-change": ["≥ 1.5 ×", "≥ 2.8 ×", "≥ 2 ×"],
    "wholesale": ["≥ 0.8 ×"],
    "threads-8": ["≥ 2.4 ×", "≥ 5 ×"],
    "tasks-32": ["≥ 12 ×"],
    "lone-caller": ["≥ 0.95 ×"],
    "processes-8": ["≥ 0.85 ×", "≤ 100 ms", "≥ 0.7 ×"],
    "rebuild": ["≤ 0.3 ms", "≤ 0.5 ms"],
    "rebuild-deep": ["≤ 1.5 ×"],
    "latest": ["≤ 1 ×"],
    "rebuild-peers": ["≥ 4 ×", "≥ 6 ×", "≥ 40 ×"],
    "bytes": ["≤ 1/120 ×", "≤ 0.4 ×"],
    "recover": ["≤ 6 ×"],
    "recover-10mb": ["≤ 5 s", "≤ 5 s", "≥ 1"],
    "open-workflows": ["≤ 1.2 ×", "≤ 1.2 ×", "≥ 1"],
    "steps": ["≥ 4 ×"],
    "cold-context": ["≤ 12 ×"],
    "start-up": ["≤ 4.5 ×", "≤ 10 ×"],
    "purge": ["≥ 20,000 rows/s", "≤ 50 ms", "≤ 0 pages"],
    "memory": ["≤ 5 ×", "≤ 5 ×", "≤ 3 MB", "≤ 3 MB", "≤ 3 MB"],
}


def _row(figures: list[Figure] | Exception, goals: dict[str, Goal]) -> Row:
    def measure(_: Bench) -> list[Figure]:
        if isinstance(figures, Exception):
            raise figures
        return figures

    return Row("row", "a row", goals, measure)


def _run(row: Row, folder: Path) -> Outcome:
    return run_one(row, Bench(folder))


def test_rows_when_listed_then_each_goal_of_the_table_is_there() -> None:
    assert {row.name: [str(goal) for goal in row.goals.values()] for row in EVERY_ROW} == GOALS


def test_row_when_it_fails_then_each_of_its_goals_is_told_as_not_met(tmp_path: Path) -> None:
    goals = {"a": at_least(1), "b": at_most(2)}

    outcome = _run(_row(OSError("the disk is full"), goals), tmp_path)

    assert [each.text for each in outcome.figures] == ["a", "b"]
    assert not outcome.is_met
    printed = "\n".join(report.lines(outcome))
    assert printed.count("NOT MET (failed: OSError: the disk is full)") == 2


def test_row_when_it_leaves_a_goal_out_then_that_one_is_told_as_not_met(tmp_path: Path) -> None:
    goals = {"a": at_least(1), "b": at_most(2)}

    outcome = _run(_row([figure.plain("a", goals["a"], 3)], goals), tmp_path)

    assert [each.text for each in outcome.figures] == ["a", "b"]
    assert not outcome.is_met
    assert not outcome.is_whole


def test_row_when_all_its_goals_are_met_then_it_is(tmp_path: Path) -> None:
    goals = {"a": at_least(1), "b": at_most(2)}
    figures = [
        figure.plain("a", goals["a"], 1),
        figure.plain("b", goals["b"], 2),
        figure.missing("c", None, "no matter"),
    ]

    assert _run(_row(figures, goals), tmp_path).is_met


def test_peer_when_it_is_not_installed_then_the_goal_says_so_and_is_not_met() -> None:
    why = Absent("peer not installed: pip install dbos")
    rounds = interleaved({"ours": lambda: 1.0, "theirs": why}, 5)

    found = figure.speed("a peer", at_least(4), rounds, ours="ours", theirs="theirs")

    assert not found.is_met
    assert report.verdict(found) == "NOT MET (peer not installed: pip install dbos)"


@pytest.mark.parametrize(
    ("goal", "value", "expected"),
    [
        (at_least(2), 3, "met, 50% better"),
        (at_least(2), 2, "met"),
        (at_least(2), 1.5, "NOT MET, misses by 25%"),
        (at_most(100, "ms"), 80, "met, 20% better"),
        (at_most(100, "ms"), 150, "NOT MET, misses by 50%"),
        (at_most(0, "pages"), 0, "met"),
        (at_most(0, "pages"), 3, "NOT MET"),
    ],
)
def test_verdict_when_held_against_a_goal_then_it_says_by_how_much(
    goal: Goal, value: float, expected: str
) -> None:
    assert report.verdict(figure.plain("a", goal, value)) == expected


def test_speed_and_cost_when_ours_takes_half_the_time_then_they_are_each_others_inverse() -> None:
    rounds = Rounds({"ours": [1.0] * 5, "theirs": [2.0] * 5})

    assert figure.speed("a", None, rounds, ours="ours", theirs="theirs").value == 2
    assert figure.cost("a", None, rounds, ours="ours", theirs="theirs").value == 0.5


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(0.797, "×", "0.797 ×"), (1 / 133, "×", "1/133 ×"), (20_400, "rows/s", "20,400 rows/s")],
)
def test_value_when_written_then_people_can_read_it(value: float, unit: str, expected: str) -> None:
    assert with_unit(value, unit) == expected


def test_table_when_run_then_the_terminal_and_the_json_say_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept" / "table.json"
    options = ["--quick", "--rounds", "5", "--json", str(kept), "--folder", str(tmp_path / "work")]

    main([*options, "start-up"])

    (row,) = json.loads(kept.read_text())["rows"]
    assert row["name"] == "start-up"
    assert [each["goal"]["limit"] for each in row["figures"]] == [4.5, 10]
    assert all(each["value"] > 1 for each in row["figures"])
    printed = capsys.readouterr().out
    assert printed.count("met") + printed.count("NOT MET") >= 3
    assert ("1 of 1 rows met" if row["met"] else "0 of 1 rows met") in printed
    assert list((tmp_path / "work").iterdir()) == [], "what was measured with is removed"


def test_row_when_its_name_is_unknown_then_the_known_ones_are_named() -> None:
    with pytest.raises(SystemExit, match=r"no row is called nonsense; there are: save-2kb"):
        main(["nonsense"])
