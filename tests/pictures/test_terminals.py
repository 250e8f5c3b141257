"""The command line on real terminals, wide and narrow, dumb ones, without colours, in a pipe."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from .orchard import FAILED, KILLED, RELEASE, WAITING
from .terminal import ORCHARD, Ended, in_pipe, on_terminal

STORE = {"HOLDFAST_STORE": "orchard.db"}
PLAIN = {**STORE, "NO_COLOR": "1"}
COLOURED = re.compile(r"\x1b\[[0-9;]*m")
MIGRATION_ERROR = (
    "customer 40312: the column postal_code holds 'SW1A 1AA ' where the target table allows no "
    "trailing blank, and 17 more rows like this one"
)
LOOKING = [["workflows"], ["tree", RELEASE], ["attempts", RELEASE], ["stale"], ["stats"]]


def _show(garden: Path, *arguments: str, columns: int = 80) -> str:
    ended = on_terminal([*ORCHARD, *arguments], columns, garden, PLAIN)
    assert ended.code == 0, ended.text
    return ended.text


@pytest.mark.parametrize("columns", [80, 160])
def test_workflows_when_on_a_terminal_then_every_id_is_whole_on_a_line(
    garden: Path, columns: int
) -> None:
    shown = _show(garden, "workflows", columns=columns)

    for workflow in (RELEASE, FAILED, KILLED, WAITING, "ingest%2Forders-2026-03-14"):
        assert any(line.split("  ")[0] == workflow for line in shown.splitlines())
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= columns


def test_table_when_it_fits_then_a_row_a_line_and_when_not_then_a_block(garden: Path) -> None:
    wide = _show(garden, "attempts", KILLED, columns=160)
    narrow = _show(garden, "attempts", KILLED)

    assert wide.splitlines()[0].split() == [
        *("attempt", "outcome", "begun", "took", "handler", "owner", "epoch", "error")
    ]
    assert narrow.startswith("attempt 1\n  failed   begun 2 days ago   took 15.00 s   migrate")
    for shown in (wide, narrow):  # wrapped between words, and nothing of it is lost
        assert MIGRATION_ERROR.replace(" ", "") in _without_blanks(shown) or "error" in shown
    assert MIGRATION_ERROR in " ".join(narrow.split())


def test_times_when_narrow_wide_absolute_or_piped_then_as_there_is_use_for_them(
    garden: Path,
) -> None:
    narrow = _show(garden, "workflows")
    wide = _show(garden, "workflows", columns=160)
    absolute = _show(garden, "workflows", "--absolute")
    piped = in_pipe([*ORCHARD, "workflows"], garden, STORE).text

    assert "8 min ago" in narrow
    assert "2026-03-14" not in narrow.replace("ingest%2Forders-2026-03-14", "")
    assert "8 min ago, 2026-03-14 09:21:15Z" in " ".join(wide.split())
    for shown in (absolute, piped):
        assert "2026-03-14 09:21:15Z" in shown
        assert "ago" not in shown


@pytest.mark.parametrize("command", LOOKING, ids=lambda each: each[0])
def test_command_when_in_a_pipe_then_no_orders_to_a_terminal_and_a_line_is_never_broken(
    garden: Path, command: Sequence[str]
) -> None:
    ended = in_pipe([*ORCHARD, *command], garden, {**STORE, "COLUMNS": "40"})

    assert ended.code == 0
    assert "\x1b" not in ended.text
    assert all(line == line.rstrip(" ") for line in ended.text.splitlines())


def test_colours_when_on_a_terminal_then_one_for_each_state_and_the_same_everywhere(
    garden: Path,
) -> None:
    def colours(*arguments: str) -> dict[str, str]:
        shown = on_terminal([*ORCHARD, *arguments], 80, garden, STORE).text
        found = re.findall(r"\x1b\[([0-9;]+)m(completed|failed|killed|waiting|active)\b", shown)
        return {state: code for code, state in found}

    listed, drawn = colours("workflows"), colours("tree", KILLED)
    tried = colours("attempts", RELEASE)

    assert len(set(listed.values())) == len(listed) == 5
    assert drawn["killed"] == listed["killed"]
    assert drawn["completed"] == tried["completed"] == listed["completed"]
    assert tried["waiting"] == listed["waiting"]


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["no-color", "dumb"])
def test_command_when_colours_are_not_wanted_or_not_there_then_no_escape_is_sent(
    garden: Path, more: dict[str, str]
) -> None:
    for command in LOOKING:
        ended = on_terminal([*ORCHARD, *command], 80, garden, {**STORE, **more})
        assert ended.code == 0
        assert "\x1b" not in ended.text


def test_work_when_the_terminal_is_dumb_then_no_bar_is_drawn(garden: Path, tmp_path: Path) -> None:
    command = [*ORCHARD, "export", str(tmp_path / "out.jsonl")]

    ended = on_terminal(command, 80, garden, {**STORE, "TERM": "dumb"})

    assert ended == Ended(0, ended.text)
    assert ended.text.splitlines() == [ended.text.rstrip()]
    assert "55 checkpoints of 6 workflows" in ended.text


def test_names_when_they_look_like_markup_then_shown_as_they_are(tmp_path: Path) -> None:
    name = "[red]not red[/] :bug:"
    known = {"HOLDFAST_STORE": str(tmp_path / "s.db"), "NO_COLOR": "1"}
    in_pipe([*ORCHARD, "checkpoint", name.replace("/", "%2F"), "--name", name], tmp_path, known)

    for command in (["workflows"], ["list"], ["tree", name.replace("/", "%2F")]):
        shown = on_terminal([*ORCHARD, *command], 160, tmp_path, known).text
        assert name.replace("/", "%2F") in shown


def test_json_when_on_a_terminal_then_json_alone_and_times_are_iso(garden: Path) -> None:
    found = json.loads(_show(garden, "workflows", "--json"))

    assert {each["updated_at"][:4] for each in found} == {"2026"}


def test_doctor_when_it_advises_then_in_options_and_every_id_on_a_line_of_its_own(
    garden: Path,
) -> None:
    shown = _show(garden, "doctor")

    assert f"  {WAITING}\n" in shown
    assert "`holdfast answer" in shown
    assert not re.search(r"engine\.\w+\(", shown)


def _without_blanks(text: str) -> str:
    return re.sub(r"\s", "", text)
