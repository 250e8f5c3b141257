"""Stored names are data: none of them is imported, called, run as SQL, or made a path of."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import holdfast
import pytest
from holdfast.infrastructure.json_files import documents
from holdfast.infrastructure.sqlite.rows import seal_of
from holdfast.infrastructure.sqlite.statements import CHECKPOINT_COLUMNS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PROBE = "imported_by_a_stored_name"

HANDLERS = [
    PROBE,
    f"{PROBE}:app",
    f"{PROBE}.app",
    f"{PROBE}:touch()",
    "os:system",
    "os.system",
    "builtins.exec",
    "__import__('os').system('touch precious')",
    "../outside/precious",
    "$(touch precious)",
]

NASTY = [
    "'; DROP TABLE checkpoints; --",
    "\" OR ''='",
    "a'); ATTACH 'precious' AS x; --",
    "%' OR 1=1 --",
    "?1 :name @name $name",
    "../../outside/precious",
    "/etc/passwd",
    "..",
    "~root",
    "C:\\Windows\\win.ini",
    "\\\\server\\share",
    "file:precious?mode=rw",
    "nul.db",
    '$[0]."a"',
]

Rewrite: TypeAlias = Callable[[str], None]


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put a module on the path that leaves a trace when anybody imports it."""
    folder = tmp_path / "modules"
    folder.mkdir()
    trace = tmp_path / "trace"
    (folder / f"{PROBE}.py").write_text(f"open({str(trace)!r}, 'w').close()\napp = print\n")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.chdir(tmp_path)
    yield
    assert PROBE not in sys.modules
    assert not trace.exists()


@pytest.fixture
def rewrite(place: Path, target: str, kind: str) -> Rewrite:
    """Make a workflow whose handler is then changed by hand, digests and all."""
    with holdfast.open(target) as engine:
        run = engine.run("w", handler="known", input={"n": 1})
        run.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    return _rewrite_rows(place) if kind == "sqlite" else _rewrite_files(place)


def _rewrite_rows(path: Path) -> Rewrite:
    def rewrite(handler: str) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            for table, columns, key, column in (
                ("checkpoints", CHECKPOINT_COLUMNS, "number", "resume_handler"),
                ("workflows", "*", "id", "handler"),
            ):
                cursor = raw.execute(f"SELECT {columns} FROM {table}")  # noqa: S608
                names = [each[0] for each in cursor.description]
                for row in cursor.fetchall():
                    new = [*row[: names.index(column)], handler, *row[names.index(column) + 1 :]]
                    raw.execute(
                        f"UPDATE {table} SET {column} = ?, seal = ? WHERE {key} = ?",  # noqa: S608
                        (handler, seal_of(new[:-1]), row[names.index(key)]),
                    )

    return rewrite


def _rewrite_files(folder: Path) -> Rewrite:
    def rewrite(handler: str) -> None:
        for path in (*folder.rglob("*workflow_start.json"), *folder.rglob("latest.json")):
            found = json.loads(path.read_bytes())
            del found["digest"]
            found["resume_handler" if "resume_handler" in found else "handler"] = handler
            path.write_text(json.dumps({**found, "digest": documents.digest(found)}))

    return rewrite


@pytest.mark.parametrize("handler", HANDLERS)
def test_recover_when_a_stored_handler_name_was_edited_then_it_is_looked_up_and_never_imported(
    target: str, rewrite: Rewrite, probe: None, outside: Path, handler: str
) -> None:
    rewrite(handler)
    app = holdfast.Registry()
    app.handler("known")(lambda _: "well")

    with holdfast.open(target, registry=app) as engine:
        (stale,) = engine.stale()
        assert stale.handler == handler  # what stands there is what is seen, and no more
        with pytest.raises(holdfast.NotRecoverable, match="is not registered here"):
            engine.recover("w")
        with pytest.raises(holdfast.NotRecoverable):
            engine.recover("w", handler=handler)
        assert engine.recover("w", handler="known").output == "well"


@pytest.mark.parametrize("handler", HANDLERS[:4])
def test_supervise_when_a_stored_handler_is_unknown_then_nothing_is_imported(
    target: str,
    tmp_path: Path,
    probe: None,
    handler: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from holdfast.interface.cli.main import main

    (tmp_path / "mine.py").write_text("import holdfast\napp = holdfast.Registry()\n")
    for name in [each for each in os.environ if each.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with holdfast.open(target) as engine:
        engine.checkpoint("w", type="workflow_start", resume_handler=handler)

    for command in (["supervise", "--once"], ["recover", "w"], ["stale"], ["doctor"]):
        with pytest.raises(SystemExit):
            main(["--store", target, "--app", "mine:app", *command])
        assert "Traceback" not in "".join(capfd.readouterr())


def test_store_when_everything_is_named_nastily_then_it_is_kept_so_and_all_stays_inside(
    place: Path, target: str, outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(outside)
    before = {each for each in tmp_path.rglob("*") if place.parent not in each.parents}
    with holdfast.open(target) as engine:
        for name in NASTY:
            _use_for_everything(engine, name)
        for name in NASTY:
            assert engine.latest(workflow_id=name).id.workflow_id == name
            (found,) = engine.list(workflow_id=name, metadata={name: name})
            assert (found.name, found.metadata) == (name, {name: name})
            assert engine.list(metadata={f"{name}'": name}) == []
        assert {each.workflow_id for each in engine.workflows()} >= set(NASTY)
        engine.export_to(tmp_path / "in" / "all.jsonl")
    with holdfast.open(f"json:{place.parent / 'copy'}") as engine:
        engine.import_from(tmp_path / "in" / "all.jsonl")
        for name in NASTY:
            assert engine.latest(workflow_id=name).id.workflow_id == name

    after = {each for each in tmp_path.rglob("*") if place.parent not in each.parents}
    assert after == before


def _use_for_everything(engine: holdfast.Engine, name: str) -> None:
    run = engine.run(name, handler=name, name=name, input={name: name}, state={name: name})
    with suppress(ZeroDivisionError), run:
        run.step(name, dict)
        run.checkpoint(name=name, patch={name: 1})
        raise ZeroDivisionError
    engine.checkpoint(name, stage_id=name, agent_id=name, name=name, metadata={name: name})
    engine.retain(workflow_id=name, days=9)
    engine.fork(engine.latest(workflow_id=name).id, f"{name} forked")
    with suppress(holdfast.NotAsked):
        engine.answer(workflow_id=name, name=name, value=name)
    engine.events(workflow_id=name)
    engine.attempts(workflow_id=name)
    engine.purge(workflow_id=name, keep=50)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(st.dictionaries(TEXTS, TEXTS | st.integers(-9, 9), max_size=2), max_size=4), TEXTS)
def test_list_when_asked_by_any_metadata_then_exactly_what_has_it(
    kept: list[dict[str, Any]], key: str
) -> None:
    with TemporaryDirectory() as folder, holdfast.open(Path(folder) / "store.db") as engine:
        for each in kept:
            engine.checkpoint("w", metadata=each)
        for wanted in (*kept, {key: key}, {key: 1}):
            expected = [n for n, each in enumerate(kept, 1) if wanted.items() <= each.items()]
            found = engine.list(metadata=wanted, limit=None)
            assert sorted(each.id.sequence for each in found) == expected
