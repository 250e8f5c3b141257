"""A picture as SVG: by hand, without scripts, readable on light and on dark pages."""

from __future__ import annotations

import re
from html import escape

from .shapes import Box, Label, Mark, Path, Picture, Shape

# What XML cannot hold, not even escaped: ids have none of most, errors may have all.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# As in tables and trees: one colour for each state.
_LIGHT = {
    "completed": "#2e9d62",
    "failed": "#d1434b",
    "active": "#1b87ad",
    "recovering": "#c08a00",
    "waiting": "#9a4fb0",
    "killed": "#848b96",
}
_DARK = {
    "completed": "#3fbf7f",
    "failed": "#f0666e",
    "active": "#45bfe5",
    "recovering": "#e3b341",
    "waiting": "#c98be0",
    "killed": "#7d8590",
}
_LIGHT_PAGE = {"page": "#ffffff", "ink": "#1f2328", "pale": "#59636e", "line": "#d1d9e0"}
_LIGHT_PAGE |= {"stripe": "#f6f8fa", "gap": "#eef1f4", "number": "#ffffff"}
_DARK_PAGE = {"page": "#0d1117", "ink": "#e6edf3", "pale": "#9198a1", "line": "#3d444d"}
_DARK_PAGE |= {"stripe": "#151b23", "gap": "#1b222c", "number": "#0d1117"}

_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"


def svg_of(picture: Picture) -> str:
    """Return the picture as an SVG document; equal pictures give equal text."""
    width, height = _number(picture.width), _number(picture.height)
    lines = [
        f'<svg {_SVG} width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f'<title id="title">{_text(picture.title)}</title>',
        f'<desc id="told">{_text(picture.told)}</desc>',
        f"<style>{_style()}</style>",
        _HATCH,
        f'<rect class="page" width="{width}" height="{height}"/>',
        *map(_shape, picture.shapes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _shape(shape: Shape) -> str:
    if isinstance(shape, Box):
        radius = 2 if shape.height > 6 and "stripe" not in shape.look else 0
        corner = f' rx="{radius}"' if radius else ""
        place = f'x="{_number(shape.x)}" y="{_number(shape.y)}"'
        size = f'width="{_number(shape.width)}" height="{_number(shape.height)}"'
        return _titled("rect", f'class="{shape.look}" {place} {size}{corner}', shape.told)
    if isinstance(shape, Label):
        anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
        told = f"<title>{_text(shape.told)}</title>" if shape.told else ""
        return (
            f'<text class="{shape.look}" x="{_number(shape.x)}" y="{_number(shape.y)}"{anchor}>'
            f"{told}{_text(shape.text)}</text>"
        )
    if isinstance(shape, Path):
        points = " ".join(f"{_number(x)},{_number(y)}" for x, y in shape.points)
        return f'<polyline class="{shape.look}" points="{points}"/>'
    return _mark(shape)


def _mark(mark: Mark) -> str:
    place = f'class="mark-{mark.kind}" transform="translate({_number(mark.x)} {_number(mark.y)})"'
    return _titled("path", f'{place} d="{_MARKS[mark.kind]}"', mark.told)


_SVG = 'xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title told"'
_HATCH = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect class="hatch-back" width="6" height="6"/>'
    '<rect class="waiting" width="2.4" height="6"/></pattern></defs>'
)
_MARKS = {
    "crash": "M-5-5L5 5M-5 5L5-5",
    "failure": "M-3.5-3.5L3.5 3.5M-3.5 3.5L3.5-3.5",
    "recovery": "M-3-6L5 0L-3 6Z",
    "fact": "M0-4L4 0L0 4L-4 0Z",
}


def _titled(tag: str, attributes: str, told: str) -> str:
    if not told:
        return f"<{tag} {attributes}/>"
    return f"<{tag} {attributes}><title>{_text(told)}</title></{tag}>"


def _style() -> str:
    dark = _colours(_DARK, _DARK_PAGE)
    return (
        f"text{{font-family:{_FONT};font-size:11px}}"
        ".title{font-size:15px;font-weight:600}.told{font-size:12px}.stage{font-size:12px}"
        ".number{font-size:11px;font-weight:600}.folded{font-style:italic}"
        ".idle{opacity:.28}.axis,.break,.crashed,.recovered{fill:none;stroke-width:1}"
        ".crashed{stroke-dasharray:3 3}.recovered{stroke-dasharray:1 3}"
        ".wait{fill:url(#hatch)}.mark-crash,.mark-failure{fill:none;stroke-linecap:round}"
        ".mark-crash{stroke-width:3}.mark-failure{stroke-width:2}"
        f"{_colours(_LIGHT, _LIGHT_PAGE)}@media (prefers-color-scheme:dark){{{dark}}}"
    )


def _colours(states: dict[str, str], page: dict[str, str]) -> str:
    rules = [f".{name}{{fill:{colour}}}" for name, colour in states.items()]
    rules += [
        f".page,.hatch-back{{fill:{page['page']}}}",
        f".stripe{{fill:{page['stripe']}}}.gap{{fill:{page['gap']}}}",
        f".title,.stage,.agent{{fill:{page['ink']}}}",
        f".told,.note,.tick,.folded{{fill:{page['pale']}}}",
        f".number{{fill:{page['number']}}}",
        f".axis{{stroke:{page['pale']}}}.break{{stroke:{page['line']}}}",
        f".wait{{stroke:{states['waiting']}}}",
        f".crashed,.mark-crash,.mark-failure{{stroke:{states['failed']}}}",
        f".recovered{{stroke:{page['pale']}}}",
        f".mark-recovery{{fill:{states['recovering']};stroke:{page['page']}}}",
        f".mark-fact{{fill:{states['active']};stroke:{page['page']}}}",
    ]
    return "".join(rules)


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
