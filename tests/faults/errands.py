"""What is done to a store while its disk gives trouble: calls of each kind, and how to judge them.

Of each call there are three outcomes: it went well, and what it did is there; it was refused as not
written, and nothing of it is there; it was refused with an unknown outcome, and all of it is there
or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import holdfast

app = holdfast.Registry()


@app.workflow("pair", max_retries=0)
def pair(run: holdfast.Run) -> str:
    """Two steps; with no retry to lose."""
    first, second = run.step("first", str.upper, "a"), run.step("second", str.upper, "b")
    return f"{first}{second}"


def prepare(engine: holdfast.Engine) -> None:
    """Make what the errands need."""
    engine.checkpoint("log", name="before")
    engine.checkpoint("open", type="workflow_start", resume_handler="pair")
    engine.checkpoint("open", type="stage_start", stage_id="s")
    for number in range(4):
        engine.checkpoint("old", name=f"n{number}", patch={"n": number})


@dataclass(frozen=True)
class Errand:
    """A call on an engine, and a look for what it does: whether all of it is there.

    The look raises `AssertionError` when it finds something in between.
    """

    name: str
    run: Callable[[holdfast.Engine], object]
    look: Callable[[holdfast.Engine], bool]


def _save(name: str, size: int = 0) -> Errand:
    state = {"text": Random(size).randbytes(size // 2).hex()}

    def run(engine: holdfast.Engine) -> object:
        return engine.checkpoint("log", name=name, state=state)

    def look(engine: holdfast.Engine) -> bool:
        found = [each for each in engine.list("log") if each.name == name]
        assert len(found) < 2, f"{name} was saved twice"
        if found:
            assert engine.context(found[0].id).workflow_state == state
        return bool(found)

    return Errand(f"save {name}", run, look)


def _has_closed(engine: holdfast.Engine) -> bool:
    opening = engine.get("open/s@2").status
    closing = [each for each in engine.list("open") if each.type == "stage_complete"]
    assert (opening == "completed") == (len(closing) == 1), "half of a scope was closed"
    return bool(closing)


def _has_purged(engine: holdfast.Engine) -> bool:
    kept = engine.list("old")
    assert engine.context("old").workflow_state == {"n": 3}
    return len(kept) == 1


def _has_run(engine: holdfast.Engine) -> bool:
    for each in engine.workflows():
        if each.workflow_id == "p-1":
            assert each.status in ("active", "recovering", "completed"), f"p-1 is {each.status}"
            assert engine.get("p-1@1").retry_count == 0
            return bool(each.status == "completed")
    return False


ERRANDS = (
    _save("first"),
    Errand("close", lambda engine: engine.complete("open/s@2", {"rows": 1}), _has_closed),
    Errand("run", lambda engine: engine.start("pair", workflow_id="p-1"), _has_run),
    _save("large", 20_000),
    Errand("purge", lambda engine: engine.purge(workflow="old", keep=1), _has_purged),
    _save("last"),
)
