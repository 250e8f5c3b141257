"""From moments to places: a straight axis, but for the long times in which nobody did anything."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TypeAlias

from ..times import duration_text

Span: TypeAlias = tuple[datetime, datetime]

BREAK_WIDTH = 46.0
# Of the time in which somebody worked: what is idle for longer than that in all is squeezed.
_IDLE_SHARE = 0.6
# Where nobody is known to have worked, a gap is long by what the shorter ones come to.
_FAR = 5.0
_TICK_DISTANCE = 90.0
_LETTER = 6.6
_STEPS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200),
    *(86_400 * days for days in (1, 2, 7, 14, 30, 90, 365)),
)


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on the axis with its label."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Break:
    """Where the axis is squeezed, and how long that took."""

    x: float
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the axis: straight within itself."""

    since: datetime
    until: datetime
    x: float
    width: float
    is_break: bool


class TimeAxis:
    """Puts moments on a line.

    Args:
        moments: when anything began or ended; at least one.
        busy: when somebody was at it: of those times nothing is squeezed. Empty where that is not
            known.
        left: where the line begins, and ``width``, how long it is.
    """

    def __init__(
        self, moments: Iterable[datetime], busy: Sequence[Span], *, left: float, width: float
    ) -> None:
        places = sorted(set(moments))
        gaps = list(pairwise(places))
        squeezed = _squeezed(gaps, busy)
        self._pieces = _pieces(places, squeezed, left, width)
        self._begins = [piece.since for piece in self._pieces]

    def x(self, at: datetime) -> float:
        """Return the place of a moment."""
        index = max(bisect_right(self._begins, at) - 1, 0)
        piece = self._pieces[index]
        whole = (piece.until - piece.since).total_seconds()
        share = (at - piece.since).total_seconds() / whole if whole else 0.0
        return piece.x + piece.width * min(max(share, 0.0), 1.0)

    def breaks(self) -> list[Break]:
        """Return where it is squeezed."""
        return [
            Break(piece.x, piece.width, duration_text(piece.until - piece.since))
            for piece in self._pieces
            if piece.is_break
        ]

    def ticks(self) -> list[Tick]:
        """Return labelled places: where a straight part begins the time, then what has passed."""
        straight = [piece for piece in self._pieces if not piece.is_break]
        seconds = sum((each.until - each.since).total_seconds() for each in straight)
        pixels = sum(each.width for each in straight)
        step = _step(seconds * _TICK_DISTANCE / pixels if pixels else 0.0)
        found: list[Tick] = []
        day = None
        for piece in straight:
            begin = piece.since.astimezone(UTC)
            form = "%H:%M:%S" if begin.date() == day else "%Y-%m-%d %H:%M:%SZ"
            day = begin.date()
            if not found or piece.x - found[-1].x >= _TICK_DISTANCE / 2:
                found.append(Tick(piece.x, begin.strftime(form)))
            free = found[-1].x + len(found[-1].label) * _LETTER + 4
            found += _inner_ticks(piece, step, free)
        return found


def _inner_ticks(piece: _Piece, step: float, free: float) -> list[Tick]:
    whole = (piece.until - piece.since).total_seconds()
    if not whole or not step:
        return []
    pixels = piece.width / whole
    return [
        Tick(piece.x + number * step * pixels, _passed(number * step))
        for number in range(1, int(whole / step) + 1)
        if piece.x + number * step * pixels >= free
        and number * step * pixels <= piece.width - _TICK_DISTANCE / 3
    ]


def _step(wanted: float) -> float:
    return next((step for step in _STEPS if step >= wanted), _STEPS[-1]) if wanted else 0.0


def _passed(seconds: float) -> str:
    if seconds < 60:
        return f"+{seconds:g} s"
    return f"+{duration_text(timedelta(seconds=seconds))}".removesuffix(" 00 s")


def _squeezed(gaps: list[Span], busy: Sequence[Span]) -> set[Span]:
    """Return the gaps that would leave no room for the rest."""
    if not busy:
        ordered = sorted(gaps, key=_length)
        found: set[Span] = set()
        for index, gap in enumerate(ordered):
            shorter = sum(map(_length, ordered[:index]))
            if shorter and _length(gap) > _FAR * shorter:
                found.update(ordered[index:])
                break
        return found
    idle = [gap for gap in gaps if not any(begin < gap[1] and gap[0] < end for begin, end in busy)]
    worked = sum(map(_length, gaps)) - sum(map(_length, idle))
    found = set()
    rest = sum(map(_length, idle))
    for gap in sorted(idle, key=_length, reverse=True):
        if rest <= _IDLE_SHARE * worked:
            break
        found.add(gap)
        rest -= _length(gap)
    return found


def _pieces(places: list[datetime], squeezed: set[Span], left: float, width: float) -> list[_Piece]:
    spans: list[tuple[datetime, datetime, bool]] = []
    for span in pairwise(places):
        is_break = span in squeezed
        if spans and spans[-1][2] == is_break and not is_break:
            spans[-1] = (spans[-1][0], span[1], False)
        else:
            spans.append((*span, is_break))
    if not spans:
        return [_Piece(places[0], places[0], left, 0.0, is_break=False)]
    breaks = sum(each[2] for each in spans)
    # However many there are, half of the line is for what is not squeezed.
    gap = min(BREAK_WIDTH, width / 2 / breaks) if breaks else 0.0
    seconds = sum(_length((begin, end)) for begin, end, is_break in spans if not is_break)
    pixels = (width - gap * breaks) / seconds if seconds else 0.0
    pieces: list[_Piece] = []
    x = left
    for begin, end, is_break in spans:
        wide = gap if is_break else _length((begin, end)) * pixels
        pieces.append(_Piece(begin, end, x, wide, is_break))
        x += wide
    return pieces


def _length(span: Span) -> float:
    return (span[1] - span[0]).total_seconds()
