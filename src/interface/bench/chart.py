"""Findings as a picture: which part of all rounds took at most how long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...domain.errors import InvalidRequest
from .finding import Finding
from .samples import PERCENTILES, Samples
from .wording import size_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".svg", ".png")
_MISSING = (
    "a chart is drawn by matplotlib, which is not installed: pip install matplotlib, or, "
    "from a checkout, pip install '.[chart]'"
)


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
    from matplotlib import rc_context
    from matplotlib.figure import Figure  # without pyplot: no window system is looked for

    figure = Figure(figsize=(8, 3.4 * len(findings)), layout="constrained")
    for finding, axes in zip(findings, figure.subplots(len(findings), squeeze=False), strict=True):
        _draw_one(finding, axes[0])
    with rc_context({"svg.fonttype": "none"}):  # text stays text: it can be searched and read out
        figure.savefig(path, format=path.suffix.lower().lstrip("."), dpi=150)


def _draw_one(finding: Finding, axes: Axes) -> None:
    for percent in PERCENTILES:
        axes.axhline(percent, color="0.85", linewidth=0.8, zorder=0)
    for name, samples in finding.series.items():
        _draw_series(name, samples, axes)
    goal = finding.goal
    if goal is not None and goal.applies:
        axes.axvline(goal.limit_s * 1e3, color="tab:red", linestyle="--", label=goal.text)
    given = finding.options
    axes.set_title(
        f"holdfast bench {finding.benchmark}: state {size_text(given.state_size)}, "
        f"depth {given.depth:,}, writers {given.writers}",
        fontsize=10,
    )
    axes.set_ylabel("% of all took at most")
    axes.set_ylim(0, 103)
    axes.set_yticks([0, 25, *PERCENTILES], ["0", "25", *(f"p{each}" for each in PERCENTILES)])
    axes.set_xlabel("milliseconds")
    axes.set_xscale("log")
    _write_plain_numbers(axes)
    axes.grid(visible=True, axis="x", which="both", alpha=0.2)
    axes.legend(fontsize=8, loc="best")


def _draw_series(name: str, samples: Samples, axes: Axes) -> None:
    ordered = sorted(each * 1e3 for each in samples.seconds)
    share = [100 * (place + 1) / len(ordered) for place in range(len(ordered))]
    (line,) = axes.step(ordered, share, where="post", label=name)
    marked = [samples.percentile(percent) * 1e3 for percent in PERCENTILES]
    axes.plot(marked, PERCENTILES, "o", color=line.get_color(), markersize=4)


def _write_plain_numbers(axes: Axes) -> None:
    """Write 100 instead of 10 to the power of 2; between the powers only where there is room."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    plain = FuncFormatter(lambda value, _: f"{value:g}")
    least, greatest = axes.get_xlim()
    axes.xaxis.set_major_formatter(plain)
    axes.xaxis.set_minor_formatter(plain if greatest < 8 * least else NullFormatter())
