"""The picture of a run: what stands where, what is folded or squeezed, and that it is sound."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import holdfast
import pytest
from holdfast.application.queries.trace_workflow import (
    TraceWorkflow,
    WorkflowTrace,
    trace_workflow,
)
from holdfast.domain.scope import Scope
from holdfast.interface.timeline.axis import BREAK_WIDTH, TimeAxis
from holdfast.interface.timeline.drawing import svg_of
from holdfast.interface.timeline.lanes import AGENTS_SHOWN, STAGES_SHOWN, lanes_of, packed
from holdfast.interface.timeline.layout import WIDTH, picture_of
from holdfast.interface.timeline.shapes import Box, Label, Mark, Picture

from .orchard import KILLED, NOW, RELEASE, STALE, START, Orchard, OrchardClock, standing_still

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def _trace(store: Path, workflow: str, clock: OrchardClock | None = None) -> WorkflowTrace:
    if clock is None:
        clock = OrchardClock()
        clock.advance((NOW - START).total_seconds())
    with standing_still(clock), holdfast.open(store) as engine:
        return engine._kernel.dispatcher.ask(trace_workflow, TraceWorkflow(workflow))


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def _boxes(picture: Picture, told: str) -> list[Box]:
    return [each for each in picture.shapes if isinstance(each, Box) and told in each.told]


def _marks(picture: Picture, kind: str) -> list[Mark]:
    in_legend = ""
    found = [each for each in picture.shapes if isinstance(each, Mark) and each.kind == kind]
    return [each for each in found if each.told != in_legend]


class TestAxis:
    def test_x_when_nothing_is_squeezed_then_places_are_as_far_apart_as_moments(self) -> None:
        axis = TimeAxis([_at(0), _at(30), _at(40)], [(_at(0), _at(40))], left=100, width=400)

        assert [axis.x(_at(at)) for at in (0, 10, 30, 40)] == [100, 200, 400, 500]
        assert axis.breaks() == []

    def test_x_when_nobody_was_at_it_for_days_then_that_is_squeezed_and_says_so(self) -> None:
        later = 3 * 86_400.0
        busy = [(_at(0), _at(10)), (_at(later), _at(later + 10))]

        axis = TimeAxis([each for span in busy for each in span], busy, left=0, width=446)

        (gap,) = axis.breaks()
        assert (gap.x, gap.width, gap.label) == (200, BREAK_WIDTH, "2 d 23 h")
        assert (axis.x(_at(10)), axis.x(_at(later))) == (200, 246)

    def test_x_when_work_itself_took_long_then_it_is_not_squeezed(self) -> None:
        axis = TimeAxis([_at(0), _at(1), _at(9000)], [(_at(0), _at(9000))], left=0, width=900)

        assert axis.breaks() == []

    def test_x_when_there_are_a_thousand_long_gaps_then_half_of_the_room_is_for_the_work(
        self,
    ) -> None:
        busy = [(_at(n * 9000), _at(n * 9000 + 1)) for n in range(1000)]

        axis = TimeAxis([each for span in busy for each in span], busy, left=0, width=800)

        assert sum(each.width for each in axis.breaks()) == pytest.approx(400)
        assert axis.x(busy[-1][1]) == pytest.approx(800)

    def test_x_when_there_is_one_moment_then_it_is_where_the_line_begins(self) -> None:
        axis = TimeAxis([NOON], [], left=7, width=100)

        assert (axis.x(NOON), axis.breaks()) == (7, [])
        assert [each.label for each in axis.ticks()] == ["2026-03-14 12:00:00Z"]

    def test_ticks_when_drawn_then_labels_stand_apart(self) -> None:
        axis = TimeAxis([_at(0), _at(3600)], [(_at(0), _at(3600))], left=0, width=700)

        ticks = axis.ticks()

        assert [each.label for each in ticks][:2] == ["2026-03-14 12:00:00Z", "+20 min"]
        for one, other in pairwise(ticks):
            assert one.x + 6 * len(one.label) < other.x


class TestLayout:
    def test_picture_when_a_run_crashed_and_waited_then_all_of_it_is_where_it_was(
        self, garden: Path
    ) -> None:
        picture = picture_of(_trace(garden / "orchard.db", RELEASE))

        assert picture.told.startswith(
            "completed · 3 attempts · 1 crash · 1 recovery · 1 min 01 s at work · waited 2 d 13 h"
        )
        first, second, third = (_boxes(picture, f"attempt {n} by")[0] for n in (1, 2, 3))
        assert [each.look for each in (first, second, third)] == ["failed", "waiting", "completed"]
        assert first.x + first.width < second.x < third.x
        (crash,) = _marks(picture, "crash")
        assert crash.x == pytest.approx(first.x + first.width)
        assert [each.x for each in _marks(picture, "recovery")] == [second.x, third.x]
        (wait,) = _boxes(picture, "/approval ")
        assert wait.look == "wait"
        assert wait.x == pytest.approx(second.x + second.width)
        assert [each.look for each in _boxes(picture, "/analyse/api ")] == [
            *("completed", "completed idle", "completed")
        ]

    def test_picture_when_drawn_then_nothing_leaves_its_frame_and_lanes_do_not_overlap(
        self, garden: Path
    ) -> None:
        for workflow in (RELEASE, KILLED, "metrics"):
            picture = picture_of(_trace(garden / "orchard.db", workflow))
            for each in picture.shapes:
                if isinstance(each, Box):
                    assert each.x >= 0
                    assert each.x + each.width <= WIDTH
                    assert each.y + each.height <= picture.height
            stripes = [
                each for each in picture.shapes if isinstance(each, Box) and each.look == "stripe"
            ]
            for upper, lower in pairwise(stripes):
                assert upper.y + upper.height <= lower.y

    def test_picture_when_nobody_is_at_it_then_it_says_so_and_marks_where_it_died(
        self, garden: Path
    ) -> None:
        picture = picture_of(_trace(garden / "orchard.db", STALE))

        assert "1 crash" in picture.told
        assert "nobody is at it" in picture.told
        assert len(_marks(picture, "crash")) == 1
        assert _boxes(picture, "us%40east active")

    def test_picture_when_it_was_killed_then_each_failure_is_marked(self, garden: Path) -> None:
        picture = picture_of(_trace(garden / "orchard.db", KILLED))

        told = [each.told for each in _marks(picture, "failure")]
        assert sum(each.startswith(f"{KILLED}/check raised ValueError") for each in told) == 3
        assert _boxes(picture, "its retries are used up")

    def test_picture_when_there_are_hundreds_of_agents_then_the_rest_is_folded_and_counted(
        self, tmp_path: Path
    ) -> None:
        orchard = Orchard(tmp_path / "many.db")
        process = orchard.process()
        run = process.engine.run("crawl", handler="crawl").__enter__()
        stage = run.stage("fetch", kind="parallel").__enter__()
        for number in range(120):
            agent = stage.agent(f"site {number}").__enter__()
            orchard.clock.advance(1 + number % 7)
            if number == 77:
                agent.__exit__(OSError, OSError("gone"), None)
            elif number != 99:
                agent.__exit__(None, None, None)
        process.die()

        trace = _trace(tmp_path / "many.db", "crawl", orchard.clock)
        lanes = lanes_of(trace.root)
        picture = picture_of(trace)

        labels = [each.text for each in picture.shapes if isinstance(each, Label)]
        assert len(lanes) == 1 + AGENTS_SHOWN + 1
        assert "+ 104 more agents" in labels
        assert {"site 77", "site 99"} <= set(labels), "what did not go well is not folded"
        assert lanes[-1].told == "+ 104 more agents: 104 completed"
        assert picture.height < 600

    def test_lanes_when_there_are_hundreds_of_steps_then_the_rest_is_one_lane(
        self, tmp_path: Path
    ) -> None:
        orchard = Orchard(tmp_path / "long.db")
        process = orchard.process()
        with process.engine.run("long", handler="long") as run:
            for number in range(STAGES_SHOWN + 60):
                run.step(f"step {number}", orchard.work(1))
        process.engine.close()

        lanes = lanes_of(_trace(tmp_path / "long.db", "long", orchard.clock).root)

        assert len(lanes) == STAGES_SHOWN + 1
        assert lanes[-1].told == "+ 60 more stages: 60 completed"

    def test_packed_when_more_overlap_than_there_are_rows_then_no_row_is_added(self) -> None:
        rows = packed([(0.0, 10.0)] * 25, rows=10)

        assert set(rows) == set(range(10))


class TestDrawing:
    def test_svg_when_ids_and_errors_are_nasty_then_it_is_sound_and_says_them_whole(
        self, tmp_path: Path
    ) -> None:
        nasty = "a<b>&\"'</svg><script>x()</script>]]>\ufffe🌱 العربية"
        orchard = Orchard(tmp_path / "nasty.db")
        process = orchard.process()
        run = process.engine.run(nasty).__enter__()
        run.step(nasty, orchard.work(1))
        error = ValueError("nul \x00 and escape \x1b[31m & <b>")
        run.__exit__(ValueError, error, None)
        process.engine.close()

        drawn = svg_of(picture_of(_trace(tmp_path / "nasty.db", nasty, orchard.clock)))

        root = ET.fromstring(drawn)  # noqa: S314 - of our own making
        assert [each for each in root.iter() if each.tag.endswith("script")] == []
        said = str(Scope(nasty)).replace("\ufffe", "\ufffd")
        assert said == root.findtext(f"{SVG}title")
        told = " ".join(each.text or "" for each in root.iter(f"{SVG}title"))
        assert "nul \ufffd and escape \ufffd[31m & <b>" in told

    def test_svg_when_drawn_twice_then_it_is_equal_and_needs_nothing_from_outside(
        self, garden: Path
    ) -> None:
        one, other = (svg_of(picture_of(_trace(garden / "orchard.db", RELEASE))) for _ in range(2))

        assert one == other
        assert re.findall(r"(?:href|src)=|@import|url\((?!#)|<script", one) == []
        assert "prefers-color-scheme:dark" in one

    def test_svg_when_drawn_then_every_bar_has_its_tooltip(self, garden: Path) -> None:
        drawn = svg_of(picture_of(_trace(garden / "orchard.db", RELEASE)))

        root = ET.fromstring(drawn)  # noqa: S314 - of our own making
        bars = [each for each in root.iter(f"{SVG}rect") if each.get("class") == "completed"]
        assert len([each for each in bars if each.findtext(f"{SVG}title")]) > 10
