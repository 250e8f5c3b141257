"""What the colours and signs of a picture mean: of those that are in it."""

from __future__ import annotations

from .shapes import Box, Label, Mark, MarkKind, Picture

_STATES = ("active", "recovering", "waiting", "completed", "failed", "killed")
_MARKS: dict[MarkKind, str] = {
    "crash": "process died",
    "recovery": "carried on",
    "failure": "raised an error",
    "fact": "named point",
}
_LETTER, _LINE = 6.2, 18.0


def add_legend(picture: Picture, left: float, y: float) -> float:
    """Add what is met in the picture; return where it ends."""
    looks = {each.look for each in picture.shapes if isinstance(each, Box)}
    x, y = left, y + 16
    for state in _STATES:
        if state in looks or f"{state} idle" in looks:
            x = _add_box(picture, x, y, state, state)
    if "wait" in looks:
        x = _add_box(picture, x, y, "wait", "waits for an answer")
    if any(look.endswith(" idle") for look in looks):
        x = _add_box(picture, x, y, "completed idle", "nobody at it")
    met = {each.kind for each in picture.shapes if isinstance(each, Mark)}
    for kind, text in _MARKS.items():
        if kind in met:
            picture.shapes.append(Mark(x + 6, y - 4, kind))
            x = _add_text(picture, x + 17, y, text)
    return y + _LINE - 4


def _add_box(picture: Picture, x: float, y: float, look: str, text: str) -> float:
    picture.shapes.append(Box(x, y - 9, 14, 9, look))
    return _add_text(picture, x + 18, y, text)


def _add_text(picture: Picture, x: float, y: float, text: str) -> float:
    picture.shapes.append(Label(x, y, text, "note"))
    return x + len(text) * _LETTER + 14
