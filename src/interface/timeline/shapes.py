"""What a picture is made of: places in pixels, and looks by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

MarkKind: TypeAlias = Literal["crash", "failure", "recovery", "fact"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; ``told`` is its tooltip."""

    x: float
    y: float
    width: float
    height: float
    look: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A text; ``y`` is its base line."""

    x: float
    y: float
    text: str
    look: str
    anchor: Literal["start", "middle", "end"] = "start"
    told: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign for something that happened at a moment; the point is its middle."""

    x: float
    y: float
    kind: MarkKind
    told: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    look: str


Shape: TypeAlias = Box | Label | Mark | Path


@dataclass(slots=True)
class Picture:
    """Shapes, those that come later above the earlier ones."""

    title: str
    told: str
    width: float
    height: float = 0.0
    shapes: list[Shape] = field(default_factory=list)
