"""Measure the rows of the table of goals: ``python -m tests.benchmarks [NAME …]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .bench import Bench
from .interleave import LEAST_ROUNDS
from .report import as_json, heading, lines, summary
from .row import Outcome, Row
from .rows.every_row import EVERY_ROW
from .runner import run_all

_OUT = Path(".benchmarks")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, write it as JSON; 1 when a row could not be measured."""
    given = _parser().parse_args(arguments)
    if given.list:
        for row in EVERY_ROW:
            print(f"{row.name:<16}{row.title}")
        return 0
    bench = Bench(given.folder.absolute(), given.rounds, given.quick, _dot)
    for line in heading(bench):
        print(line)

    def tell(outcome: Outcome) -> None:
        _end_of_dots()
        print("\n".join(lines(outcome)), flush=True)

    outcomes = run_all(_chosen(given.names), bench, tell)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(as_json(outcomes, bench), indent=2) + "\n")
    print(f"\n{summary(outcomes)}\nas JSON: {given.json}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows to measure; all by default")
    parser.add_argument("--list", action="store_true", help="say which rows there are")
    parser.add_argument("--quick", action="store_true", help="less work a round; rougher figures")
    parser.add_argument("--rounds", type=_rounds, default=7, help="how often all sides run (7)")
    parser.add_argument("--json", type=Path, default=_OUT / "table.json", help="where it is kept")
    parser.add_argument(
        "--folder", type=Path, default=_OUT / "work", help="on the disk that is to be measured"
    )
    return parser


def _rounds(text: str) -> int:
    rounds = int(text)
    if rounds < LEAST_ROUNDS:
        raise argparse.ArgumentTypeError(f"a median of fewer than {LEAST_ROUNDS} says little")
    return rounds


def _chosen(names: list[str]) -> list[Row]:
    known = {row.name: row for row in EVERY_ROW}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"no row is called {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names] or list(EVERY_ROW)


def _dot() -> None:
    """Show that it goes on; in a pipe nothing."""
    if sys.stderr.isatty():
        print(".", end="", file=sys.stderr, flush=True)


def _end_of_dots() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
