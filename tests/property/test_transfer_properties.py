"""Whatever happened in a store, an export of it holds, and an import brings back."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import holdfast
import pytest
from holdfast.domain.json_value import canonical
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# Thousands of files are synced: in memory where the system has room there.
ROOM = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

NAMES = st.sampled_from(["wf", "a/b", "@", "%2F", ".. ", "CON", "\U0001f600", "x" * 200])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**40, max_value=10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), inner)
    ),
    max_leaves=8,
)
STATES = st.dictionaries(st.sampled_from(["a", "b", "", "\u00e9"]), VALUES, max_size=3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("state"), NAMES, STATES),
        st.tuples(st.just("patch"), NAMES, STATES),
        st.tuples(st.just("large"), NAMES, st.integers(0, 9)),
        st.tuples(st.just("older parent"), NAMES, STATES),
        st.tuples(st.just("run"), NAMES, VALUES),
        st.tuples(st.just("failing run"), NAMES, VALUES),
        st.tuples(st.just("open"), NAMES, VALUES),
        st.tuples(st.just("cancel"), NAMES, st.none()),
        st.tuples(st.just("retry"), NAMES, st.none()),
        st.tuples(st.just("fork"), NAMES, NAMES),
        st.tuples(st.just("purge"), NAMES, st.integers(0, 3)),
        st.tuples(st.just("delete"), NAMES, st.none()),
        st.tuples(st.just("ask"), NAMES, VALUES),
        st.tuples(st.just("answer"), NAMES, VALUES),
        st.tuples(
            st.just("retain"), NAMES, st.floats(min_value=0, allow_nan=False) | st.integers(0, 99)
        ),
    ),
    max_size=14,
)


def _take(engine: holdfast.Engine, step: tuple[str, str, Any]) -> None:
    what, name, value = step
    if what == "state":
        engine.checkpoint(name, state=value, metadata={"k": name})
    elif what == "patch":
        engine.checkpoint(name, stage_id="s", agent_id=name, patch=value)
    elif what == "large":
        engine.checkpoint(name, state={"text": "x" * 5000, "n": value})
    elif what == "older parent":
        oldest = engine.list(workflow_id=name)
        engine.checkpoint(name, state=value, parent=oldest[-1].id if oldest else None)
    elif what in ("run", "failing run"):
        with engine.run(name, handler="h", input=value) as run:
            run.step("one", lambda: value)
            run.checkpoint(name="p", patch={"a": value})
            if what == "failing run":
                raise LookupError(name)
    elif what == "open":
        engine.checkpoint(name, type="agent_start", stage_id="s", agent_id="a", input=value)
    elif what == "fork":
        engine.fork(engine.list(workflow_id=name, limit=1)[0].id, value)
    elif what == "purge":
        engine.purge(workflow_id=name, keep=value)
    elif what == "ask":
        with engine.run(name, handler="h") as run:
            run.wait("q", ask=value)
    elif what == "answer":
        engine.answer(workflow_id=name, name="q", value=value)
    elif what == "retain":
        engine.retain(workflow_id=name, days=value)
    else:
        getattr(engine, what)(workflow_id=name)


KINDS = st.sampled_from(["", "json:"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, KINDS, KINDS)
def test_export_when_imported_into_another_kind_of_store_then_the_two_exports_are_identical(
    steps: list[tuple[str, str, Any]], first: str, second: str
) -> None:
    _check(steps, first, second)


@pytest.mark.deep
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, KINDS, KINDS)
def test_export_when_imported_a_thousand_times_then_the_two_exports_are_identical(
    steps: list[tuple[str, str, Any]], first: str, second: str
) -> None:
    _check(steps, first, second)


def _check(steps: list[tuple[str, str, Any]], first: str, second: str) -> None:
    with TemporaryDirectory(dir=ROOM) as folder_name:
        folder = Path(folder_name)
        with holdfast.open(f"{first}{folder / 'a.db'}", durability="process") as engine:
            for step in steps:
                with suppress(holdfast.HoldfastError, LookupError):
                    _take(engine, step)
            engine.export_to(folder / "first.jsonl")
            with holdfast.open("memory:") as other:
                other.import_from(folder / "first.jsonl")
                other.export_to(folder / "second.jsonl")
                other.export_to(f"{second}{folder / 'b.db'}")
                _require_equal(engine, other)
        with holdfast.open(f"{second}{folder / 'b.db'}") as back:
            back.export_to(folder / "third.jsonl")
            assert back.verify().intact

        whole = (folder / "first.jsonl").read_bytes()
        assert (folder / "second.jsonl").read_bytes() == whole
        assert (folder / "third.jsonl").read_bytes() == whole


def _require_equal(engine: holdfast.Engine, other: holdfast.Engine) -> None:
    assert other.events(limit=10_000) == engine.events(limit=10_000)
    assert other.workflows() == engine.workflows()
    assert other.stale() == engine.stale()
    for each in engine.list(limit=None):
        assert canonical(other.context(each.id).to_dict()) == canonical(
            engine.context(each.id).to_dict()
        )
    for summary in engine.workflows():
        name = summary.workflow_id
        assert other.attempts(workflow_id=name) == engine.attempts(workflow_id=name)
