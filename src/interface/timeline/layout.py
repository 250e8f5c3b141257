"""Where everything of a run stands in its picture."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from ...application.queries.trace_workflow import (
    Opened,
    ScopeTrace,
    TracedAttempt,
    WorkflowTrace,
)
from ...application.waits import WAIT_KIND
from ...domain.attempt import Outcome
from ...domain.checkpoint_status import CheckpointStatus
from ..times import absolute, duration_text
from .axis import Span, TimeAxis
from .lanes import Lane, lanes_of, packed
from .legend import add_legend
from .shapes import Box, Label, Mark, Path, Picture

WIDTH = 960.0
_EDGE, _INDENT = 16.0, 12.0
_LABELS = (96.0, 260.0)
_TITLE_Y, _TOLD_Y, _TOP = 28.0, 47.0, 62.0
_BAND, _GAP = 16.0, 12.0
_STAGE, _AGENT, _STRIP, _STRIPS = 20.0, 15.0, 4.0, 10
_LETTER = {0: 6.7, 1: 6.1}
_LEAST = 2.0
_NOTE = 64.0

_LOOKS = {
    Outcome.COMPLETED: "completed",
    Outcome.WAITING: "waiting",
    Outcome.GIVEN_UP: "recovering",
    Outcome.FENCED: "recovering",
    Outcome.STORE_TROUBLE: "recovering",
    Outcome.CANCELLED: "killed",
}
_IN_FLIGHT = (CheckpointStatus.ACTIVE, CheckpointStatus.RECOVERING)


def picture_of(trace: WorkflowTrace) -> Picture:
    """Return the picture of a run; the same run always gives the same one."""
    return _Layout(trace).picture


class _Layout:
    def __init__(self, trace: WorkflowTrace) -> None:
        self._trace = trace
        self._lanes = lanes_of(trace.root)
        self._pauses = [
            (earlier.until, later.attempt.begun_at) for earlier, later in pairwise(trace.attempts)
        ]
        widest = max((_width_of(each.label, each.depth) for each in self._lanes), default=0.0)
        self._room = min(max(widest, _LABELS[0]), _LABELS[1])
        left = _EDGE + self._room + 10
        busy = [(each.attempt.begun_at, each.until) for each in trace.attempts]
        self._axis = TimeAxis(_moments(trace), busy, left=left, width=WIDTH - _EDGE - left)
        self._left, self._y = left, _TOP
        self.picture = Picture(str(trace.root.scope), _summary(trace), WIDTH)
        self._draw()

    def _draw(self) -> None:
        self._add_head()
        behind = len(self.picture.shapes)
        self._add_attempts()
        top = self._y
        self._add_lane(Lane((self._trace.root,), 0), "workflow")
        for lane in self._lanes:
            self._add_lane(lane, lane.label)
        self._add_axis()
        drawn = self.picture.shapes[behind:]
        stripes = [each for each in drawn if isinstance(each, Box) and each.look == "stripe"]
        rest = [each for each in drawn if each not in stripes]
        self.picture.shapes[behind:] = [*stripes, *self._verticals(top, self._y - 30), *rest]
        self.picture.height = add_legend(self.picture, _EDGE, self._y)

    def _add_head(self) -> None:
        picture = self.picture
        title = _cut(picture.title, WIDTH - 2 * _EDGE, 8.6)
        picture.shapes.append(Label(_EDGE, _TITLE_Y, title, "title", told=picture.title))
        picture.shapes.append(Label(_EDGE, _TOLD_Y, picture.told, "told"))

    def _add_attempts(self) -> None:
        if not self._trace.attempts:
            return
        middle = self._y + _BAND / 2
        self._add(Label(_EDGE, middle + 4, "attempts", "stage"))
        for each in self._trace.attempts:
            x, width = self._stretch(each.attempt.begun_at, each.until)
            self._add(Box(x, self._y, width, _BAND, _look_of(each), _told_of(each)))
            if width > 14:
                number = str(each.attempt.number)
                self._add(Label(x + width / 2, middle + 4, number, "number", "middle"))
        for earlier, later in pairwise((None, *self._trace.attempts)):
            if later is not None and earlier is not None:
                x = self._axis.x(later.attempt.begun_at)
                self._add(Mark(x, middle, "recovery", _recovery(earlier, later)))
            if later is not None and later.died:
                self._add(Mark(self._axis.x(later.until), middle, "crash", _crash(later)))
        self._y += _BAND + _GAP

    def _add_lane(self, lane: Lane, label: str) -> None:
        height = _STAGE if lane.depth == 0 else _AGENT
        if lane.what is not None:
            self._add_folded(lane)
            return
        if lane.depth == 0:
            self._add(Box(_EDGE, self._y, WIDTH - 2 * _EDGE, height, "stripe"))
        self._add_label(lane, label, self._y + height / 2 + 4)
        self._add_bars(lane.scopes[0], self._y + 3, height - 6, told=True)
        self._y += height

    def _add_label(self, lane: Lane, label: str, y: float) -> None:
        indent = _INDENT * lane.depth
        shown = _cut(label, self._room - indent, _LETTER[lane.depth])
        look = "folded" if lane.what else ("agent" if lane.depth else "stage")
        self._add(Label(_EDGE + indent, y, shown, look, told=lane.told))

    def _add_folded(self, lane: Lane) -> None:
        spans = [(trace, span) for trace in lane.scopes for span in self._spans(trace)]
        spans.sort(key=lambda each: (each[1], str(each[0].scope)))
        rows = packed([span for _, span in spans], _STRIPS)
        height = max(_AGENT, _STRIP * (max(rows, default=0) + 1) + 6)
        self._add_label(lane, lane.label, self._y + 11)
        done: set[int] = set()
        for (trace, _), row in zip(spans, rows, strict=True):
            if id(trace) not in done:
                self._add_bars(trace, self._y + 3 + row * _STRIP, _STRIP - 1, told=False)
            done.add(id(trace))
        self._y += height

    def _spans(self, trace: ScopeTrace) -> Iterator[tuple[float, float]]:
        """Yield the one place from its first opening to its last end."""
        if trace.opened:
            x, _ = self._stretch(trace.opened[0].since, trace.opened[0].since)
            last = trace.opened[-1].until or self._trace.until
            yield x, max(self._axis.x(last), x + _LEAST)

    def _add_bars(self, trace: ScopeTrace, y: float, height: float, *, told: bool) -> None:
        middle = y + height / 2
        end = 0.0
        for opened in trace.opened:
            until = opened.until or self._trace.until
            tooltip = _tooltip(trace, opened, self._worked(opened.since, until))
            for since, upto, is_idle in self._parts(opened.since, until):
                x, width = self._stretch(since, upto)
                look = "wait" if opened.kind == WAIT_KIND else opened.status.value
                look += " idle" if is_idle and look != "wait" else ""
                self._add(Box(x, y, width, height, look, tooltip))
                end = max(end, x + width)
            for at, why in opened.failures:
                self._add(Mark(self._axis.x(at), middle, "failure", f"{trace.scope} raised {why}"))
        for at, name in trace.facts if told else ():
            told_at = f"{trace.scope}: {name}, {absolute(at)}"
            self._add(Mark(self._axis.x(at), middle, "fact", told_at))
        if told and trace.opened and end + _NOTE < WIDTH - _EDGE:
            self._add(Label(end + 7, middle + 3.5, self._took(trace.opened[-1]), "note"))

    def _took(self, opened: Opened) -> str:
        until = opened.until or self._trace.until
        if opened.kind == WAIT_KIND:
            return duration_text(until - opened.since)
        return duration_text(self._worked(opened.since, until))

    def _worked(self, since: datetime, until: datetime) -> timedelta:
        parts = self._parts(since, until)
        return sum((end - begin for begin, end, is_idle in parts if not is_idle), timedelta())

    def _parts(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime, bool]]:
        """Cut a time at the pauses in which nobody carried the workflow on."""
        parts: list[tuple[datetime, datetime, bool]] = []
        for begin, end in self._pauses:
            if begin < until and since < end:
                if since < begin:
                    parts.append((since, begin, False))
                parts.append((max(since, begin), min(until, end), True))
                since = min(until, end)
        if since < until or not parts:
            parts.append((since, until, False))
        return parts

    def _add_axis(self) -> None:
        y = self._y + 8
        self._add(Path(((self._left, y), (WIDTH - _EDGE, y)), "axis"))
        for tick in self._axis.ticks():
            self._add(Path(((tick.x, y), (tick.x, y + 4)), "axis"))
            self._add(Label(tick.x, y + 16, tick.label, "tick"))
        for gap in self._axis.breaks():
            text = f"⋯ {gap.label} ⋯"
            x = min(gap.x + gap.width / 2, WIDTH - _EDGE - len(text) * _LETTER[1] / 2)
            self._add(Label(x, y + 29, text, "tick", "middle"))
        self._y = y + 30

    def _verticals(self, top: float, bottom: float) -> Iterator[Box | Path]:
        """Yield what lies behind the lanes: squeezed times, crashes and recoveries."""
        for gap in self._axis.breaks():
            yield Box(gap.x, _TOP - 4, gap.width, bottom - _TOP + 4, "gap", gap.label)
            for x in (gap.x, gap.x + gap.width):
                yield Path(tuple(_zigzag(x, _TOP - 4, bottom)), "break")
        for each in self._trace.attempts:
            if each.died:
                x = self._axis.x(each.until)
                yield Path(((x, top - _GAP), (x, bottom)), "crashed")
            if each.attempt.number > 1:
                x = self._axis.x(each.attempt.begun_at)
                yield Path(((x, top - _GAP), (x, bottom)), "recovered")

    def _stretch(self, since: datetime, until: datetime) -> tuple[float, float]:
        """Return where a time begins and how wide it is; wide enough to be seen."""
        x = self._axis.x(since)
        width = max(self._axis.x(until) - x, _LEAST)
        return min(x, WIDTH - _EDGE - width), width

    def _add(self, shape: Box | Label | Mark | Path) -> None:
        self.picture.shapes.append(shape)


def _moments(trace: WorkflowTrace) -> Iterator[datetime]:
    yield from (trace.since, trace.until)
    for each in trace.attempts:
        yield from (each.attempt.begun_at, each.until)
    scopes = [trace.root]
    while scopes:
        scope = scopes.pop()
        scopes += scope.inside
        yield from (at for at, _ in scope.facts)
        for opened in scope.opened:
            yield from (opened.since, opened.until or trace.until)
            yield from (at for at, _ in opened.failures)


def _summary(trace: WorkflowTrace) -> str:
    told = [trace.status.value if trace.status else "record"]
    crashes = sum(each.died for each in trace.attempts)
    recoveries = sum(
        earlier.attempt.outcome is not Outcome.WAITING for earlier, _ in pairwise(trace.attempts)
    )
    waited = sum((end - begin for begin, end in _waits(trace)), timedelta())
    for count, what in (
        (len(trace.attempts), "attempt"),
        (crashes, "crash"),
        (recoveries, "recovery"),
    ):
        if count:
            told.append(f"{count} {what if count == 1 else _plural(what)}")
    worked = sum((each.until - each.attempt.begun_at for each in trace.attempts), timedelta())
    if trace.attempts:
        told.append(f"{duration_text(worked)} at work")
    if waited:
        told.append(f"waited {duration_text(waited)}")
    if trace.attempts and trace.attempts[-1].died and trace.status in _IN_FLIGHT:
        told.append("nobody is at it")
    told.append(f"{absolute(trace.since)} to {absolute(trace.until)}")
    return " · ".join(told)


def _waits(trace: WorkflowTrace) -> Iterator[Span]:
    for stage in trace.root.inside:
        for opened in stage.opened:
            if opened.kind == WAIT_KIND:
                yield opened.since, opened.until or trace.until


def _plural(what: str) -> str:
    return f"{what[:-1]}ies" if what.endswith("y") else f"{what}{'es' if what[-1] == 'h' else 's'}"


def _look_of(traced: TracedAttempt) -> str:
    if traced.died:
        return "failed"
    outcome = traced.attempt.outcome
    return _LOOKS.get(outcome, "failed") if outcome else "active"


def _told_of(traced: TracedAttempt) -> str:
    attempt = traced.attempt
    how = "died" if traced.died else attempt.outcome.value if attempt.outcome else "under way"
    error = f": {attempt.error.summary}" if attempt.error else ""
    took = duration_text(traced.until - attempt.begun_at)
    return f"attempt {attempt.number} by {attempt.owner}, {took}, {how}{error}"


def _crash(traced: TracedAttempt) -> str:
    return f"{traced.attempt.owner} died; its last sign of life was at {absolute(traced.until)}"


def _recovery(earlier: TracedAttempt, later: TracedAttempt) -> str:
    after = duration_text(later.attempt.begun_at - earlier.until)
    by = f"attempt {later.attempt.number} carried it on, {after} later"
    return f"{by}, by {later.attempt.owner} at {absolute(later.attempt.begun_at)}"


def _tooltip(trace: ScopeTrace, opened: Opened, worked: timedelta) -> str:
    end = f"to {absolute(opened.until)}" if opened.until else "and open"
    why = f": {opened.why}" if opened.why else ""
    took = f"waited {duration_text(opened.until - opened.since)}" if opened.until else "waits"
    how = took if opened.kind == WAIT_KIND else f"{duration_text(worked)} at work"
    return f"{trace.scope} {opened.status.value}, {how}, {absolute(opened.since)} {end}{why}"


def _zigzag(x: float, top: float, bottom: float) -> Iterator[tuple[float, float]]:
    y, side = top, -1.0
    while y < bottom:
        yield x + 1.5 * side, y
        y, side = y + 4, -side
    yield x, bottom


def _width_of(text: str, depth: int) -> float:
    return _letters(text) * _LETTER[depth] + _INDENT * depth


def _letters(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def _cut(text: str, room: float, letter: float) -> str:
    """Return as much of a text as there is room for: the whole of it is in the tooltip."""
    if _letters(text) * letter <= room:
        return text
    shown = text
    while shown and (_letters(shown) + 1) * letter > room:
        shown = shown[:-1]
    return f"{shown}…"
