"""The difference between two texts, as edits of bytes.

States are compared as JSON text: what differs in type (``1``, ``1.0``, ``true``) differs as text,
and what a difference gives back is the text itself. All comparing happens in C (``startswith``,
``endswith``, ``find``), so that 10 MB with a few changes take a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

# A shorter stretch of equal bytes between two changes is not worth an edit of its own.
_WORTHWHILE = 48
_WINDOW = 32
# Where in what is left to compare windows are tried, as fractions of it.
_TRIED_AT = (0.5, 0.25, 0.75, 0.125, 0.875)
# Compared at once; what is longer is compared in steps that grow.
_BLOCK = 256
# Searches in one comparison: a text that was rewritten wholesale is given up on soon.
_MOST_SEARCHES = 160


class Edit(NamedTuple):
    """Replace the bytes from *start* to *end* of the old text by *text*."""

    start: int
    end: int
    text: bytes


def difference(old: bytes | bytearray, new: bytes, *, most: int) -> list[Edit] | None:
    """Return edits that make *new* of *old*, in the order of their places.

    ``None`` when they would hold more than *most* bytes of text: then they are not worth it.

    >>> difference(b'{"n":1,"log":["a"]}', b'{"n":2,"log":["a"]}', most=10)
    [Edit(start=5, end=6, text=b'2')]
    """
    return _Comparison(old, new, most).run()


def apply(old: bytes | bytearray, edits: Sequence[Edit]) -> bytearray:
    """Return the text that the edits make of *old*; a bytearray is edited in place."""
    text = old if isinstance(old, bytearray) else bytearray(old)
    # From the end, so that the places of the edits that are still to come stay where they are.
    for start, end, replacement in reversed(edits):
        text[start:end] = replacement
    return text


def makes(old: bytes | bytearray, edits: Sequence[Edit], new: bytes) -> bool:
    """Whether `apply` makes *new* of *old* with the edits; without making it, for it may be large.

    >>> makes(b"one two", [Edit(0, 3, b"1")], b"1 two")
    True
    """
    view = memoryview(old)
    old_at = new_at = 0
    for start, end, text in edits:
        kept = view[old_at:start]
        if not old_at <= start <= end or not new.startswith(kept, new_at):
            return False
        new_at += len(kept)
        if not new.startswith(text, new_at):
            return False
        old_at, new_at = end, new_at + len(text)
    rest = view[old_at:]
    return new.startswith(rest, new_at) and new_at + len(rest) == len(new)


class _Comparison:
    def __init__(self, old: bytes | bytearray, new: bytes, most: int) -> None:
        self.old = old
        self.new = new
        self.old_view = memoryview(old)
        self.new_view = memoryview(new)
        self.rest = most
        self.searches = _MOST_SEARCHES

    def run(self) -> list[Edit] | None:
        """Compare from left to right, splitting what differs at what is found again."""
        edits: list[Edit] = []
        pending = [(0, len(self.old), 0, len(self.new))]
        while pending:
            old_start, old_end, new_start, new_end = self._trim(*pending.pop())
            if old_start == old_end and new_start == new_end:
                continue
            split = self._split(old_start, old_end, new_start, new_end)
            if split is not None:
                left, right = split
                pending += (right, left)
                continue
            self.rest -= new_end - new_start
            if self.rest < 0:
                return None
            edits.append(Edit(old_start, old_end, self.new[new_start:new_end]))
        return edits

    def _trim(
        self, old_start: int, old_end: int, new_start: int, new_end: int
    ) -> tuple[int, int, int, int]:
        """Leave out what is equal at both ends."""
        most = min(old_end - old_start, new_end - new_start)
        ahead = self._equal_from(old_start, new_start, most)
        behind = self._equal_until(old_end, new_end, most - ahead)
        return old_start + ahead, old_end - behind, new_start + ahead, new_end - behind

    def _split(
        self, old_start: int, old_end: int, new_start: int, new_end: int
    ) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]] | None:
        """Return what is left and right of a stretch in the middle that is equal."""
        size = new_end - new_start
        if size < 2 * _WORTHWHILE or old_end - old_start < _WORTHWHILE:
            return None
        for fraction in _TRIED_AT:
            if self.searches <= 0:
                return None
            self.searches -= 1
            at = new_start + int((size - _WINDOW) * fraction)
            found = self._find(at, old_start, old_end, new_start, new_end)
            if found < 0:
                continue
            behind = self._equal_until(found, at, min(found - old_start, at - new_start))
            ahead = self._equal_from(found, at, min(old_end - found, new_end - at))
            if behind + ahead >= _WORTHWHILE:
                return (
                    (old_start, found - behind, new_start, at - behind),
                    (found + ahead, old_end, at + ahead, new_end),
                )
        return None

    def _find(self, at: int, old_start: int, old_end: int, new_start: int, new_end: int) -> int:
        """Return where in the old text the window at *at* of the new one stands; -1 if nowhere."""
        window = self.new_view[at : at + _WINDOW]
        # Most probably as far from one of the ends as it is in the new text.
        for guess in (old_start + at - new_start, old_end - (new_end - at)):
            inside = old_start <= guess <= old_end - _WINDOW
            if inside and self.old.startswith(window, guess):
                return guess
        return self.old.find(window, old_start, old_end)

    def _equal_from(self, old_at: int, new_at: int, most: int) -> int:
        """Return how many bytes, at most *most*, are equal from two places on."""
        old, view = self.old, self.new_view
        done, step = 0, _BLOCK
        while done < most:
            step = min(step, most - done)
            if old.startswith(view[new_at + done : new_at + done + step], old_at + done):
                done += step
                step *= 4
            elif step > _BLOCK:
                step = max(_BLOCK, step // 4)
            else:
                at, end = old_at + done, new_at + done
                return done + _equal_at_start(old[at : at + step], self.new[end : end + step])
        return done

    def _equal_until(self, old_at: int, new_at: int, most: int) -> int:
        """Return how many bytes, at most *most*, are equal before two places."""
        old, view = self.old, self.new_view
        done, step = 0, _BLOCK
        while done < most:
            step = min(step, most - done)
            piece = view[new_at - done - step : new_at - done]
            if old.endswith(piece, 0, old_at - done):
                done += step
                step *= 4
            elif step > _BLOCK:
                step = max(_BLOCK, step // 4)
            else:
                at = old_at - done
                return done + _equal_at_end(old[at - step : at], bytes(piece))
        return done


# Where two short texts of one size part: their difference as one number tells, without a loop.


def _equal_at_start(one: bytes | bytearray, other: bytes) -> int:
    differing = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return len(one) - (differing.bit_length() + 7) // 8


def _equal_at_end(one: bytes | bytearray, other: bytes) -> int:
    differing = int.from_bytes(one, "little") ^ int.from_bytes(other, "little")
    return len(one) - (differing.bit_length() + 7) // 8
