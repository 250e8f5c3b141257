"""Hours of writers, killers, supervisors and purgers on one store: nothing lost, nothing grows.

``make soak`` runs it: an hour, half of it on either store, unless HOLDFAST_SOAK_MINUTES says
otherwise. A line a minute tells how it goes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random, SystemRandom

import holdfast
import pytest

from .trend import growth
from .yard import KEEP, Yard

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read in /proc"),
]

MINUTES = float(os.environ.get("HOLDFAST_SOAK_MINUTES", "60")) / 2
LONGEST_WAIT = 300.0
# By how much something may grow over the second half: what a garbage collector and free pages do.
SHARE = 0.1
LEAST = {"memory": 4096.0, "files": 1.5, "store": 262_144.0}


@pytest.fixture(params=["sqlite", "json"])
def yard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Yard]:
    seed = SystemRandom().randrange(1 << 32)
    yard = Yard(tmp_path, request.param, Random(seed))
    holdfast.open(yard.target).close()
    yield yard
    yard.end()


def test_store_when_written_killed_purged_and_carried_on_for_long_then_nothing_is_lost_or_grows(
    yard: Yard, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = Random(yard.kills)
    yard.begin()
    begun = last_line = last_walk = time.monotonic()

    while (now := time.monotonic()) - begun < MINUTES * 60:
        time.sleep(draw.uniform(0.3, 1.2))  # how often somebody is killed
        yard.measure()
        yard.kill_one()
        if now - last_walk >= 2:
            yard.measure_store()
            last_walk = now
        if now - last_line >= 60:
            last_line = now
            with capsys.disabled():
                print(_line(yard, request.node.callspec.id, (now - begun) / 60), flush=True)

    for names in ("writer", "starter", "purger"):
        yard.end(names)
    with holdfast.open(yard.target) as engine:
        _require_every_workflow_ends(engine, yard)
        yard.end()
        checked = _require_nothing_lost(engine, yard)
        report = engine.verify()
    with capsys.disabled():
        print(_summary(yard, checked), flush=True)

    assert report.intact, report
    assert not yard.wrong.exists(), yard.wrong.read_text()
    assert not _growing(yard), _growing(yard)


def _require_every_workflow_ends(engine: holdfast.Engine, yard: Yard) -> None:
    """Wait until the supervisors have carried on what was left."""
    deadline = time.monotonic() + LONGEST_WAIT
    while True:
        left = [
            each.workflow_id
            for each in engine.workflows(limit=None)
            if each.status is not None and not each.status.is_final
        ]
        if not left:
            return
        assert time.monotonic() < deadline, f"these never end: {left}; {yard.errors}"
        time.sleep(0.5)


def _require_nothing_lost(engine: holdfast.Engine, yard: Yard) -> int:
    """Hold what was acknowledged against what is there; return how many saves that were."""
    checked = 0
    for name, marks in yard.acknowledged().items():
        kept = {each.id.sequence: each.state["mark"] for each in engine.list(name, limit=None)}
        newest = sorted(kept)[-KEEP:]
        for sequence, mark in marks.items():
            checked += 1
            if sequence in kept:
                assert kept[sequence] == mark
                continue
            # By the policy it may be gone only when so many newer ones are there.
            assert len(newest) == KEEP and sequence < newest[0], f"{name}@{sequence} is lost"
        gone = [each for each in marks if each not in kept]
        for sequence in gone[:: max(1, len(gone) // 50)]:
            with pytest.raises(holdfast.Purged):
                engine.get(f"{name}@{sequence}")
    return checked


def _growing(yard: Yard) -> dict[str, str]:
    found = {}
    for name, series in yard.series.items():
        more = growth(series.points)
        allowed = max(LEAST[name.split()[0].rstrip(",")], series.last * SHARE)
        if name.startswith("files"):
            allowed = LEAST["files"]
        if more > allowed:
            found[name] = f"grew by {more:,.0f} to {series.last:,.0f} in the second half"
    return found


def _line(yard: Yard, kind: str, minutes: float) -> str:
    saves = yard.ledger.read_bytes().count(b"\n")
    numbers = ", ".join(f"{name}: {series.last:,.0f}" for name, series in yard.series.items())
    head = f"soak of {kind}, minute {minutes:.0f} of {MINUTES:.0f}"
    return f"\n{head}: {saves:,} saves, {yard.kills} kills; {numbers}"


def _summary(yard: Yard, checked: int) -> str:
    lines = [f"\nsoak: {checked:,} acknowledged saves accounted for, {yard.kills} kills"]
    for name, series in yard.series.items():
        values = [value for _, value in series.points]
        lines.append(
            f"  {name}: {min(values):,.0f} to {max(values):,.0f}, second half "
            f"{growth(series.points):+,.0f}"
        )
    return "\n".join(lines)
