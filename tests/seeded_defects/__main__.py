"""Seed defects one at a time; each must turn its tests red: ``python -m tests.seeded_defects``."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .defect import Defect, TextHasGone
from .every_defect import EVERY_DEFECT
from .trial import ROOT, copy_tree, run_tests


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table; return 1 when a defect survives, 2 when that cannot be told."""
    given = _parser().parse_args(arguments)
    wanted = [each for each in EVERY_DEFECT if not given.names or each.name in given.names]
    unknown = set(given.names) - {each.name for each in EVERY_DEFECT}
    if unknown:
        print(f"there is no defect {', '.join(sorted(unknown))}; --list names them")
        return 2
    if given.list:
        for each in wanted:
            print(f"{each.name:<42}{each.breaks}")
        return 0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        copy_tree(tree)
        if not (given.no_baseline or _is_green_without(tree, wanted)):
            return 2
        results = [_try(each, tree) for each in wanted]
    seconds = time.monotonic() - begun
    print(f"\n{results.count(0)} of {len(results)} defects were caught, in {seconds:.0f} s")
    return max(results, default=0)


def _is_green_without(tree: Path, defects: Sequence[Defect]) -> bool:
    """Whether the tests pass as things are: a test that always fails catches nothing."""
    print("without a defect: ", end="", flush=True)
    for tests in sorted({each.tests for each in defects}):
        trial = run_tests(tree, tests)
        if not trial.is_green:
            print(f"red: {trial.told}")
            return False
    print("green", flush=True)
    return True


def _try(defect: Defect, tree: Path) -> int:
    print(f"{defect.name:<42}", end="", flush=True)
    try:
        defect.seed(tree)
    except TextHasGone as gone:
        print(f"CANNOT BE SEEDED: {gone}", flush=True)
        return 2
    try:
        trial = run_tests(tree, defect.tests)
    finally:
        shutil.copy(ROOT / defect.file, tree / defect.file)
    if trial.is_red:
        print(f"caught in {trial.seconds:5.1f} s by {trial.told.rpartition('/')[2]}", flush=True)
        return 0
    verdict = "SURVIVES" if trial.is_green else "CANNOT BE TOLD"
    print(f"{verdict} {' '.join(defect.tests)}: {trial.told}", flush=True)
    return 1 if trial.is_green else 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.seeded_defects", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--list", action="store_true", help="name the defects, and do nothing")
    parser.add_argument(
        "--no-baseline", action="store_true", help="do not run the tests without a defect first"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
