"""Stores with a bit of everything, and what can be seen of a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import holdfast
import pytest


@pytest.fixture
def fill() -> Callable[[holdfast.Engine], None]:
    """Write a bit of everything that a store can hold."""
    return _fill


@pytest.fixture
def seen() -> Callable[[holdfast.Engine], dict[str, Any]]:
    """Return all that can be seen of a store through its engine."""
    return _seen


@pytest.fixture
def full_store(tmp_path: Path) -> Path:
    path = tmp_path / "full.db"
    with holdfast.open(path) as engine:
        _fill(engine)
    return path


@pytest.fixture
def exported(full_store: Path, tmp_path: Path) -> bytes:
    """The export of the full store."""
    with holdfast.open(full_store) as engine:
        engine.export_to(tmp_path / "full.jsonl")
    return (tmp_path / "full.jsonl").read_bytes()


def _fill(engine: holdfast.Engine) -> None:
    odd = {"": [1, 1.0, True, None, -0.0, 10**400, "\x7f\U0001f600"], "\u00e9": {"a": [[], {}]}}
    with engine.run("nasty/@% CON", handler="h", input=odd, metadata={"k": [1]}) as run:
        with run.stage("load", kind="parallel") as stage:
            stage.map(lambda each: each * 2, [1, 2, 3], workers=2)
        run.checkpoint(name="half", state=odd)
    for count in range(40):  # differences, keyframes, patches over them
        engine.checkpoint("record", state={"n": count, "text": "x" * 5000})
        engine.checkpoint("record", patch={"patched": {"by": count}, "text": None})
    first = engine.list("record", limit=200)[-1]
    engine.checkpoint("record", state={"anew": 1}, parent=first.id, depends_on=[first.id])
    with pytest.raises(LookupError), engine.run("failing", handler="h") as run:
        raise LookupError("why not")
    engine.checkpoint("open", type="stage_start", stage_id="s", resume_handler="h", input=None)
    engine.retain("record", days=7, count=5)
    engine.cancel("open")
    engine.retry("open")


def _seen(engine: holdfast.Engine) -> dict[str, Any]:
    names = [each.workflow_id for each in engine.workflows(limit=1000)]
    return {
        "workflows": engine.workflows(limit=1000),
        "checkpoints": [_fields(each) for each in engine.list(limit=10_000)],
        "contexts": {name: engine.context(workflow_id=name).to_dict() for name in names},
        "attempts": {name: engine.attempts(workflow_id=name) for name in names},
        "events": engine.events(limit=10_000),
    }


def _fields(checkpoint: holdfast.Checkpoint) -> list[Any]:
    names = (
        "id type status name kind created_at updated_at parent_id depends_on resume_handler "
        "retry_count max_retries epoch error reason due_at schema_version metadata state input "
        "output workflow stage agent"
    )
    return [repr(getattr(checkpoint, name)) for name in names.split()]
