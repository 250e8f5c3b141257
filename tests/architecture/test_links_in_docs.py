"""Every link of README, docs and the pages beside them leads somewhere; without the site's tool."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^(```+).*?^\1$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def links_of(page: Path) -> list[str]:
    """Return the targets of a page's links, but for those to other hosts."""
    prose = _CODE.sub("", _FENCE.sub("", page.read_text()))
    return [each for each in _LINK.findall(prose) if not re.match(r"[a-z]+:", each)]


@cache
def anchors_of(page: Path) -> frozenset[str]:
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text()))
    slugs: list[str] = []
    for heading in headings:
        kept = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower())
        slug = kept.strip().replace(" ", "-")
        count = sum(re.fullmatch(re.escape(slug) + r"(-\d+)?", each) is not None for each in slugs)
        slugs.append(f"{slug}-{count}" if count else slug)
    return frozenset(slugs)


def what_is_wrong_with(link: str, page: Path) -> str | None:
    """Return why a link leads nowhere; ``None`` when it leads somewhere."""
    place, _, anchor = link.partition("#")
    target = (page.parent / place).resolve() if place else page
    if not target.is_relative_to(ROOT):
        return f"{link} leads out of the repository"
    if not target.exists():
        return f"{link}: there is no {target.relative_to(ROOT)}"
    if anchor and anchor not in anchors_of(target):
        return f"{link}: no heading of {target.relative_to(ROOT)} makes #{anchor}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_when_followed_then_file_and_heading_are_there(page: Path) -> None:
    wrong = [why for link in links_of(page) if (why := what_is_wrong_with(link, page))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("link", ["nowhere.md", "page.md#nowhere", "#nowhere", "../../../etc/x"])
def test_links_when_they_lead_nowhere_then_the_check_says_so(link: str) -> None:
    page = ROOT / "docs" / "performance.md"
    given = link.replace("page.md", page.name)
    assert what_is_wrong_with(given, page) is not None
    assert what_is_wrong_with("../README.md", page) is None
    assert what_is_wrong_with("#how-to-read-it", page) is None
