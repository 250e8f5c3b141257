"""Findings as a picture: which part of all rounds took at most how long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...domain.errors import InvalidRequest
from .finding import Finding
from .samples import PERCENTILES, Samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".svg", ".png")
_MISSING = "a chart is drawn by matplotlib, which is not installed: pip install 'holdfast[chart]'"


def require_drawing(path: Path) -> None:
    """Raise `InvalidRequest` when a chart could not be drawn there: before measuring, not after."""
    if path.suffix.lower() not in FORMATS:
        raise InvalidRequest(f"{path}: a chart is an SVG or a PNG; name it {' or '.join(FORMATS)}")
    if not path.absolute().parent.is_dir():
        raise InvalidRequest(f"{path}: there is no folder {path.absolute().parent}")
    try:
        import matplotlib as mpl  # noqa: F401
    except ModuleNotFoundError as error:
        raise InvalidRequest(_MISSING) from error


def draw(findings: Sequence[Finding], path: Path) -> None:
    """Draw all findings, one below the other, as SVG or PNG, as the name of the file says."""
    from matplotlib.figure import Figure  # without pyplot: no window system is looked for

    figure = Figure(figsize=(8, 3.4 * len(findings)), layout="constrained")
    for finding, axes in zip(findings, figure.subplots(len(findings), squeeze=False), strict=True):
        _draw_one(finding, axes[0])
    figure.savefig(path, format=path.suffix.lower().lstrip("."), dpi=150)


def _draw_one(finding: Finding, axes: Axes) -> None:
    for name, samples in finding.series.items():
        _draw_series(name, samples, axes)
    goal = finding.goal
    if goal is not None and goal.applies:
        axes.axvline(goal.limit_s * 1e3, color="tab:red", linestyle="--", label=goal.text)
    axes.set_xscale("log")
    axes.set_xlabel("milliseconds")
    axes.set_ylabel("% of all took at most")
    axes.set_ylim(0, 103)
    axes.grid(visible=True, which="both", alpha=0.2)
    given = finding.options
    axes.set_title(
        f"holdfast bench {finding.benchmark}: state {given.state_size / 1e3:,.0f} KB, "
        f"depth {given.depth:,}, writers {given.writers}",
        fontsize=10,
    )
    axes.legend(fontsize=8, loc="lower right")


def _draw_series(name: str, samples: Samples, axes: Axes) -> None:
    ordered = sorted(each * 1e3 for each in samples.seconds)
    share = [100 * (place + 1) / len(ordered) for place in range(len(ordered))]
    (line,) = axes.step(ordered, share, where="post", label=name)
    marked = [samples.percentile(percent) * 1e3 for percent in PERCENTILES]
    axes.plot(marked, PERCENTILES, "o", color=line.get_color(), markersize=4)
