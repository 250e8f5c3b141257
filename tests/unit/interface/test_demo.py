"""The demo: what it says of a run that was killed, and that it would notice a broken promise."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from holdfast.interface.demo.director import Performance, Play
from holdfast.interface.demo.ledger import Entry
from holdfast.interface.demo.proof import prove
from holdfast.interface.demo.timeline import timeline
from rich.console import Console

# The first process finished a and b, and was killed at work on c before b was saved.
KILLED = Play("start", 11, True, 0.0, 1.0, ("a", "b"), ("c",), ("a",))
LAST = Play("recover", 12, False, 1.0, 2.0, ("b", "c"), (), ("a", "b", "c"))


def entries(pid: int, begun: str, ended: str) -> list[Entry]:
    return [Entry(each, "begun", pid, 0.0) for each in begun] + [
        Entry(each, "ended", pid, 1.0) for each in ended
    ]


def performance(*plays: Play, written: list[Entry], agents: str = "abc") -> Performance:
    reports = {"report.md": b"the same"}
    return Performance(Path(), list(plays), written, reports, 3, len(plays), tuple(agents))


ALONE = performance(replace(LAST, finished=tuple("abc")), written=entries(10, "abc", "abc"))
GOOD = performance(KILLED, LAST, written=entries(11, "abc", "ab") + entries(12, "bc", "bc"))


def test_proof_when_only_what_was_not_saved_ran_twice_then_every_claim_holds() -> None:
    claims = prove(ALONE, GOOD, 1)

    assert [claim.text for claim in claims if not claim.holds] == []
    assert claims[1].evidence == "saved before the last process began: 1"
    assert claims[3].evidence == "ran again: b, c"


@pytest.mark.parametrize(
    ("broken", "claim"),
    [
        (
            replace(GOOD, entries=entries(11, "abc", "ab") + entries(12, "abc", "abc")),
            "no agent whose result was saved ran again",
        ),
        (replace(GOOD, agents=("b", "c")), "every saved result is still there"),
        (replace(GOOD, attempts=3), "each kill was one attempt"),
        (replace(GOOD, result=4), "the reports equal those of the undisturbed run, byte for byte"),
        (
            replace(GOOD, reports={"report.md": b"another"}),
            "the reports equal those of the undisturbed run, byte for byte",
        ),
    ],
)
def test_proof_when_a_promise_is_broken_then_its_claim_does_not_hold(
    broken: Performance, claim: str
) -> None:
    assert claim in [each.text for each in prove(ALONE, broken, 1) if not each.holds]


def test_timeline_when_killed_then_what_was_finished_saved_and_lost_is_told_apart() -> None:
    printed = io.StringIO()
    console = Console(width=80, file=printed)

    console.print(timeline(GOOD))

    lines = [" ".join(line.split()) for line in printed.getvalue().splitlines()]
    assert any(line.endswith("finished saved ended") for line in lines)
    assert any(line.startswith("11 start") and "2 SIGKILL" in line for line in lines)
    assert any(line.startswith("12 recover") and "2 1 done" in line for line in lines)
    assert {"cut off: c", "not yet saved: b"} <= set(lines)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_timeline_when_the_terminal_is_narrow_then_nothing_is_cut(width: int) -> None:
    plays = [replace(play, pid=1_234_567) for play in GOOD.plays]
    printed = io.StringIO()
    console = Console(width=width, file=printed)

    console.print(timeline(replace(GOOD, plays=plays), width))

    assert "…" not in printed.getvalue()
    assert "SIGKILL" in printed.getvalue()
    assert max(map(len, printed.getvalue().splitlines())) <= width
