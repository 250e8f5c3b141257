"""A supervisor's purges, beside its recoveries."""

from __future__ import annotations

import threading
from pathlib import Path

import holdfast
import pytest
from holdfast.application.retention import removal
from holdfast.infrastructure.clock import ManualClock
from holdfast.interface.supervise.purging import Purging


def _filled(path: Path, clock: ManualClock | None = None) -> holdfast.Engine:
    engine = holdfast.open(
        path, clock=clock, durability="process", retention=holdfast.Retention(days=0, count=2)
    )
    for number in range(60):
        engine.checkpoint("wf", state={"n": number})
    return engine


def test_begin_when_called_then_it_purges_by_the_policy(tmp_path: Path) -> None:
    with _filled(tmp_path / "store.db") as engine:
        purging = Purging(engine, threading.Event())

        purging.begin()
        purging.begin()  # under way already, or done
        purging.finish()

        assert len(engine.list("wf")) == 2


def test_begin_when_told_to_stop_then_it_ends_between_two_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "MOST_ROWS", 3)
    stop = threading.Event()
    stop.set()
    with _filled(tmp_path / "store.db") as engine:
        purging = Purging(engine, stop)
        purging.begin()
        purging.finish()

        left = len(engine.list("wf"))
        assert 50 < left <= 60
        assert engine.purge().checkpoints == left - 2, "it has let the others purge"


def test_begin_when_the_one_before_went_wrong_then_it_says_so_and_tries_again(
    tmp_path: Path,
) -> None:
    engine = _filled(tmp_path / "store.db")
    engine.close()
    purging = Purging(engine, threading.Event())
    purging.begin()
    purging.finish()

    with pytest.raises(holdfast.StoreClosed):
        purging.begin()

    purging.finish()
