"""The report of the demo: the same facts give the same bytes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

_TOP = 10


def as_json(facts: list[dict[str, Any]]) -> str:
    """Return the whole report as JSON."""
    return json.dumps({"totals": totals(facts), "packages": facts}, indent=2, sort_keys=True) + "\n"


def as_markdown(facts: list[dict[str, Any]]) -> str:
    """Return the report for people: totals, the largest packages, the longest functions."""
    sums = totals(facts)
    lines = [
        "# Source report",
        "",
        _summary(len(facts), sums),
        "",
        "| package | files | lines | functions | documented |",
        "|---|---:|---:|---:|---:|",
    ]
    for each in sorted(facts, key=lambda each: (-each["lines"], each["package"]))[:_TOP]:
        share = _percent(each["documented"], each["undocumented"])
        row = (each["package"], each["files"], each["lines"], each["functions"], share)
        lines.append("| " + " | ".join(map(str, row)) + " |")
    lines += ["", "## Longest functions", ""]
    longest = [entry for each in facts for entry in each["longest"]]
    for entry in sorted(longest, key=lambda each: (-each["lines"], each["function"]))[:_TOP]:
        lines.append(f"- `{entry['function']}`: {entry['lines']} lines")
    lines += ["", "## Most imported", ""]
    imports: Counter[str] = Counter()
    for each in facts:
        imports.update(each["imports"])
    for name, count in sorted(imports.items(), key=lambda each: (-each[1], each[0]))[:_TOP]:
        lines.append(f"- `{name}`: {count} times")
    return "\n".join(lines) + "\n"


def _summary(packages: int, sums: dict[str, int]) -> str:
    return (
        f"{packages} packages, {sums['files']:,} files, {sums['lines']:,} lines: "
        f"{sums['classes']:,} classes and {sums['functions']:,} functions, "
        f"{_percent(sums['documented'], sums['undocumented'])} of them documented."
    )


def totals(facts: list[dict[str, Any]]) -> dict[str, int]:
    """Return the sums over all packages."""
    keys = ("files", "lines", "classes", "functions", "documented", "undocumented")
    return {key: sum(each[key] for each in facts) for key in keys}


def _percent(part: int, rest: int) -> str:
    return f"{100 * part // (part + rest)} %" if part + rest else "-"
