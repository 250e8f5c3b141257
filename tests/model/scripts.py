"""What handlers do: scripts that the engine and the model both perform."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import holdfast
from hypothesis import strategies as st

from .history import Refusal
from .oracle import Session
from .oracle_runs import Oracle, Script

VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [1, 1.0, True, None, "text", "", -0.0, 10**30, [1, {"k": 2}], {}, {"": []}]
)
STATES = st.dictionaries(st.sampled_from("pqr"), VALUES, max_size=3)
QUESTIONS = ("q1", "q2")
_given = st.sampled_from([1, 2])
_names = st.sampled_from(["n1", "n2"])

_WAIT: st.SearchStrategy[Any] = st.tuples(
    st.just("wait"),
    st.sampled_from(QUESTIONS),
    st.sampled_from([None, "which?"]),
    st.sampled_from([None, 50.0, 7200.0]),
)
STEPS: st.SearchStrategy[Any] = st.one_of(
    st.tuples(st.just("save"), STATES),
    st.tuples(st.just("patch"), STATES),
    st.tuples(st.just("named"), _names),
    st.tuples(st.just("barrier"), _names),
    st.tuples(st.just("step"), st.sampled_from(["s", "t"]), _given, st.booleans()),
    st.tuples(
        st.just("stage"),
        st.sampled_from(["s", "u"]),
        st.lists(
            st.tuples(st.sampled_from(["x", "y"]), _given, st.sampled_from([False, False, True])),
            max_size=2,
        ),
    ),
    _WAIT,
    _WAIT,
    st.tuples(st.just("beat")),
)
_TOPS: st.SearchStrategy[Any] = st.one_of(
    STEPS,
    STEPS,
    st.tuples(st.just("swallow"), STEPS),
    st.tuples(st.just("raise")),
    st.tuples(st.just("other cancels")),
    st.tuples(st.just("other forces")),
    st.tuples(st.just("own engine saves"), STATES),
    st.tuples(st.just("own engine closes")),
)
_STEP = ("step", "s", 1, False)
_ASK = ("wait", "q1", None, None)
# What is begun by one attempt and gone on with by the next: drawn by chance they seldom match.
_USUAL: list[Script] = [
    (_STEP,),
    (_STEP, ("raise",)),
    (_STEP, _ASK),
    (_STEP, _ASK, ("step", "t", 1, False)),
    (_STEP, ("step", "t", 1, True)),
    (_STEP, ("stage", "u", [("x", 1, False), ("y", 1, True)])),
    (_STEP, ("stage", "u", [("x", 1, False), ("y", 1, False)])),
    (("wait", "q2", None, 50.0), _STEP),
]
SCRIPTS: st.SearchStrategy[Script] = st.one_of(
    st.sampled_from(_USUAL), st.lists(_TOPS, max_size=4).map(tuple)
)
RETURNED = "done"


def really(run: holdfast.Run, step: Any, others: Callable[[str, Any], None]) -> Any:
    """Perform one step of a script on a run."""
    match step:
        case ("save", state):
            run.checkpoint(state=state)
        case ("patch", patch):
            run.checkpoint(patch=patch)
        case ("named", name):
            run.checkpoint(name=name)
        case ("barrier", name):
            run.barrier(name)
        case ("step", name, given, fails):
            return run.step(name, _work(fails), given)
        case ("stage", name, agents):
            with run.stage(name) as stage:
                for agent, given, fails in agents:
                    stage.step(agent, _work(fails), given)
        case ("wait", name, ask, until):
            limit = timedelta(seconds=until) if until is not None else None
            return run.wait(name, ask=ask, until=limit)
        case ("beat",):
            run.heartbeat()
        case ("swallow", inner):
            with contextlib.suppress(holdfast.HoldfastError, ValueError):
                really(run, inner, others)
        case ("raise",):
            raise ValueError("told to")
        case (what, *rest):
            others(what, rest)
    return None


def as_expected(
    oracle: Oracle, session: Session, step: Any, others: Callable[[str, Any], None]
) -> Any:
    """Perform one step of a script on the model."""
    match step:
        case ("save", state):
            oracle.run_save(session, state=state)
        case ("patch", patch):
            oracle.run_save(session, patch=patch)
        case ("named", name):
            oracle.run_save(session, name=name)
        case ("barrier", name):
            oracle.run_barrier(session, name)
        case ("step", name, given, fails):
            return oracle.run_step(session, (name,), given, fails)
        case ("stage", name, agents):
            oracle.run_stage(session, name, agents)
        case ("wait", name, ask, until):
            return oracle.run_wait(session, name, ask, until)
        case ("beat",):
            oracle.run_beat(session)
        case ("swallow", inner):
            with contextlib.suppress(Refusal):
                as_expected(oracle, session, inner, others)
        case ("raise",):
            raise Refusal("ValueError")
        case (what, *rest):
            others(what, rest)
    return None


def _work(fails: bool) -> Callable[[Any], Any]:
    def work(given: Any) -> Any:
        if fails:
            raise ValueError("bad")
        return {"got": given}

    return work


__all__ = ["RETURNED", "SCRIPTS", "STATES", "STEPS", "VALUES", "Script", "as_expected", "really"]
