"""Stores with a bit of everything, and what can be seen of a store."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import Any

import holdfast
import pytest
from holdfast.domain.json_value import canonical

_ODD = {"": [1, 1.0, True, None, -0.0, 10**400, "\x7f\U0001f600"], "\u00e9": {"a": [[], {}]}}
_DEEP: Any = []
for _ in range(190):
    _DEEP = [_DEEP]


@pytest.fixture
def seen() -> Callable[[holdfast.Engine], dict[str, Any]]:
    """Return all that can be seen of a store through its engine."""
    return _seen


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """An empty folder, in memory where the system has room there: thousands of files are synced."""
    yield from _room()


@pytest.fixture(scope="session")
def templates() -> Iterator[Path]:
    """A folder with a full store of each kind, ``full.db`` and ``full``; to be copied."""
    for folder in _room():
        for target in (str(folder / "full.db"), f"json:{folder / 'full'}"):
            with holdfast.open(target) as engine:
                _fill(engine)
        yield folder


def _room() -> Iterator[Path]:
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(dir=base) as folder:
        yield Path(folder)


@pytest.fixture
def full_store(templates: Path, tmp_path: Path) -> Path:
    """A SQLite store with a bit of everything."""
    return Path(shutil.copy(templates / "full.db", tmp_path / "full.db"))


@pytest.fixture(params=["sqlite", "json"])
def full_target(request: pytest.FixtureRequest, templates: Path, tmp_path: Path) -> str:
    """The target of a store with a bit of everything, of each kind in turn."""
    if request.param == "sqlite":
        return str(shutil.copy(templates / "full.db", tmp_path / "source.db"))
    shutil.copytree(templates / "full", tmp_path / "source")
    return f"json:{tmp_path / 'source'}"


@pytest.fixture
def exported(full_store: Path, tmp_path: Path) -> bytes:
    """The export of the full store in SQLite, which is in ``full.jsonl``."""
    return _exported(str(full_store), tmp_path / "full.jsonl")


@pytest.fixture
def exported_target(full_target: str, tmp_path: Path) -> bytes:
    """The export of the full store of either kind, which is in ``source.jsonl``."""
    return _exported(full_target, tmp_path / "source.jsonl")


def _exported(target: str, path: Path) -> bytes:
    with holdfast.open(target) as engine:
        engine.export_to(path)
    return path.read_bytes()


def _fill(engine: holdfast.Engine) -> None:
    """Write a bit of everything that a store can hold."""
    with engine.run("nasty/@% CON", handler="h", input=_ODD, metadata={"k": [1]}) as run:
        with run.stage("load", kind="parallel") as stage:
            stage.map(lambda each: each * 2, [1, 2, 3], workers=2)
        run.checkpoint(name="half", state=_ODD)
    for count in range(40):  # differences, keyframes, patches over them
        engine.checkpoint("record", state={"n": count, "text": "x" * 5000})
        engine.checkpoint("record", patch={"patched": {"by": count}, "text": None})
    first = engine.list("record", limit=200)[-1]
    engine.checkpoint("record", state={"anew": 1}, parent=first.id, depends_on=[first.id])
    with pytest.raises(LookupError), engine.run("failing", handler="h") as run:
        raise LookupError("why not")
    engine.checkpoint("open", type="stage_start", stage_id="s", resume_handler="h", input=None)
    engine.retain("record", days=7, count=5)
    engine.checkpoint("kept")
    engine.retain("kept", days=inf)
    engine.cancel("open")
    engine.retry("open")
    _ask(engine)
    _purge(engine)
    engine.fork(engine.latest("cut").id, "forked")
    engine.checkpoint("A" * 200, state={"big": "y" * 110_000, "deep": _DEEP})
    _interrupt(engine)


def _interrupt(engine: holdfast.Engine) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        engine.run("interrupted", handler="h") as run,
        run.stage("s") as stage,
        stage.agent("a", input=[1]),
    ):
        raise KeyboardInterrupt


def _ask(engine: holdfast.Engine) -> None:
    def asking(run: holdfast.Run) -> Any:
        run.step("draft", lambda: _ODD)
        return run.wait("ok?", ask={"what": [1]}, until=timedelta(days=9))

    engine.workflow("asking", retention_days=90)(asking)
    for name in ("asked", "answered", "gone on"):
        with pytest.raises(holdfast.Waiting):
            engine.start("asking", workflow_id=name, input={"of": name})
    for name in ("answered", "gone on"):
        engine.answer(name, "ok?", {"yes": True})
    engine.recover("gone on")


def _purge(engine: holdfast.Engine) -> None:
    """Leave histories without their beginnings: with open scopes, branched, and one with none."""
    for name in ("cut", "cut and open", "cut and branched"):
        if name == "cut and open":
            engine.checkpoint(
                name, type="stage_start", stage_id="s", input=_ODD, resume_handler="h"
            )
        engine.checkpoint(name, stage_id="t", type="stage_start", input={"i": 1.0})
        engine.checkpoint(name, stage_id="t", type="stage_complete", output=[-0.0], state={"t": 1})
        for count in range(50):
            back = engine.list(name, limit=3)[-1].id if count == 48 else None
            parent = back if "branched" in name else None
            engine.checkpoint(name, state={"n": count, "text": "z" * 5000}, parent=parent)
            if count == 20:
                engine.purge(workflow=name, keep=4)
        engine.purge(workflow=name, keep=7)
    engine.checkpoint("deleted", state=_ODD)
    engine.delete("deleted")
    engine.purge(keep=1000)


def _seen(engine: holdfast.Engine) -> dict[str, Any]:
    names = [each.workflow_id for each in engine.workflows(limit=1000)]
    checkpoints = engine.list(limit=10_000)
    return {
        "workflows": engine.workflows(limit=1000),
        "checkpoints": [_fields(each) for each in checkpoints],
        "got": [_fields(engine.get(each.id)) for each in checkpoints[::5]],
        "contexts": {str(each.id): engine.context(each.id).to_dict() for each in checkpoints[::3]},
        "of workflows": {name: engine.context(workflow_id=name).to_dict() for name in names},
        "attempts": {name: engine.attempts(workflow_id=name) for name in names},
        "events": engine.events(limit=10_000),
        "stale": engine.stale(),
        "purged": [
            _why_missing(engine, text) for text in ("cut@5", "cut@2", "deleted@1", "cut@99")
        ],
    }


def _why_missing(engine: holdfast.Engine, text: str) -> tuple[str, str]:
    try:
        engine.get(text)
    except holdfast.NotFound as error:
        return type(error).__name__, str(error)
    return "there", text


def _fields(checkpoint: holdfast.Checkpoint) -> list[Any]:
    names = (
        "id type status name kind created_at updated_at parent_id depends_on resume_handler "
        "retry_count max_retries epoch error reason due_at schema_version metadata state input "
        "output workflow stage agent"
    )
    return [_told(getattr(checkpoint, name)) for name in names.split()]


def _told(value: Any) -> Any:
    """Return a value with the types that are in it, and without the order of keys."""
    if is_dataclass(value) and not isinstance(value, type):
        return [(each.name, _told(getattr(value, each.name))) for each in fields(value)]
    return canonical(value) if isinstance(value, dict | list) else repr(value)
