"""A store in which everything was used verifies: no rule of the doctor is broken by a feature."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import holdfast
import pytest


def _use_everything(engine: holdfast.Engine) -> None:
    @engine.workflow("ask")
    def ask(run: holdfast.Run) -> Any:
        run.step("one", lambda: {"n": 1})
        with run.stage("many", kind="parallel") as stage:
            stage.map(str.upper, ["a/b", "C", "d@e"])
        return run.wait("approval", ask={"ok": None}, until=timedelta(days=1))

    @engine.workflow("fails", max_retries=0)
    def fails(run: holdfast.Run) -> Any:
        run.checkpoint(name="begun", state={"text": "x" * 200_000})
        raise ValueError("no luck")

    with suppress(holdfast.Waiting):
        engine.start("ask", workflow_id="asked/%@ ö")
    with suppress(holdfast.Waiting):
        engine.start("ask", workflow_id="waits")
    engine.answer(workflow="asked%2F%25%40 ö", name="approval", value=True)
    engine.recover(workflow_id="asked/%@ ö")
    for name in ("failed", "killed"):
        with suppress(ValueError):
            engine.start("fails", workflow_id=name)
    for _ in range(3):
        with suppress(holdfast.HoldfastError, ValueError):
            engine.recover("killed", force=True)
    engine.retry("killed")
    engine.cancel("waits")
    for n in range(80):
        engine.checkpoint("long", state={"n": n}, resume_handler="ask")
    engine.checkpoint("long", state={"n": "again"}, parent="long@30")
    engine.fork("long@40", "forked")
    engine.checkpoint("forked", patch={"m": 1})
    engine.consolidate("forked")
    for n in range(40):
        engine.checkpoint("old", state={"n": n})
    engine.purge(workflow="old", keep=3)
    engine.purge(keep=20)
    engine.checkpoint("gone")
    engine.delete("gone")
    with suppress(KeyboardInterrupt), engine.run("given up", handler="ask"):
        raise KeyboardInterrupt


@pytest.mark.parametrize("kind", ["sqlite", "json"])
def test_verify_when_everything_was_used_then_nothing_is_damaged(
    tmp_path: Path, shm: Path, kind: str
) -> None:
    target = f"json:{shm / 'used'}" if kind == "json" else str(tmp_path / "used.db")
    try:
        with holdfast.open(target) as engine:
            _use_everything(engine)
            report = engine.verify()
            assert report.findings == ()
            assert report.checked["checkpoints"] > 50
    finally:
        shutil.rmtree(shm / "used", ignore_errors=True)
