"""Helpers for tests of programs that use Holdfast; none of them needs pytest.

- `survives_kills`: kill a workflow at each of its checkpoints, carry it on, compare.
- `fresh_engine`, `fresh_store`, `ManualClock`: an engine on a store of its own, a clock to turn.
- ``holdfast.testing.fixtures``: the same as fixtures of pytest.
- ``holdfast.testing.contracts``: what an adapter of your own must promise, as suites of pytest.
"""

from __future__ import annotations

from ..infrastructure.clock import ManualClock
from .fresh import fresh_engine, fresh_store
from .kill_report import DidNotSurvive, KilledRun, KillPoint, KillReport, Mismatch
from .survives_kills import kill_everywhere, survives_kills

__all__ = [
    "DidNotSurvive",
    "KillPoint",
    "KillReport",
    "KilledRun",
    "ManualClock",
    "Mismatch",
    "fresh_engine",
    "fresh_store",
    "kill_everywhere",
    "survives_kills",
]
