"""The harness finds what is wrong with a workflow, and nothing where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import holdfast
import pytest
from holdfast.testing import DidNotSurvive, KillReport, kill_everywhere, survives_kills

from .workflows import app

quickly = partial(kill_everywhere, app, store="memory", in_process=True)


def _messages(report: KillReport) -> set[str]:
    return {f"{each.what}: {each.problem}" for run in report.failures for each in run.mismatches}


@pytest.mark.parametrize("store", ["sqlite", "json"])
def test_harness_when_a_workflow_is_right_then_it_survives_kills_of_its_process(
    store: str,
) -> None:
    report = survives_kills(app, "right-async", store=store)

    assert [str(each.point).partition(" (")[0] for each in report.runs] == [
        f"right {side} checkpoint {number}"
        for number in range(1, report.checkpoints + 1)
        for side in ("before", "after")
    ]


@pytest.mark.parametrize("store", ["sqlite", "json"])
@pytest.mark.parametrize("workflow", ["right", "right-async"])
def test_harness_when_fewer_kills_are_asked_for_then_they_are_spread_over_the_run(
    workflow: str, store: str
) -> None:
    report = survives_kills(app, workflow, store=store, in_process=True, at_most=3)

    assert len(report.runs) == 3
    assert str(report.runs[0].point) == "right before checkpoint 1 (workflow_start of under-test)"
    assert (report.runs[-1].point.number, report.runs[-1].point.side) == (
        report.checkpoints,
        "after",
    )


def test_harness_when_a_step_was_in_doubt_then_the_report_says_that_it_ran_twice() -> None:
    report = quickly("right")

    assert report.survived
    assert {"numbers", "talk/writer", "sum"} < set(report.repeated)
    for run in report.runs:
        assert set(run.repeated) <= set(run.in_doubt)
    (killed_in_sum,) = [
        run
        for run in report.runs
        if str(run.point).startswith("right before")
        and run.point.wrote == "stage_complete of under-test/sum"
    ]
    assert killed_in_sum.repeated == {"sum": 2}
    assert killed_in_sum.calls["numbers"] == 1
    assert "steps that ran twice, for they were in doubt: " in str(report)


def test_harness_when_a_step_draws_a_random_value_then_that_varies_and_is_no_mismatch() -> None:
    report = quickly("right-random")

    assert report.survived
    assert "result.token" in report.varying
    assert "result.length" not in report.varying


def test_harness_when_a_step_takes_something_from_its_process_then_that_is_no_mismatch() -> None:
    report = survives_kills(app, "hashes", at_most=4)

    assert report.varying == ("result", "context.outputs.hash")


def test_harness_when_what_a_varying_member_is_in_is_gone_then_that_is_found() -> None:
    report = quickly("loses-its-result")

    assert report.varying == ("result.at",)
    # The first is begun anew, and the last finished already.
    assert tuple(report.failures) == tuple(report.runs[1:-1])
    assert {each.what for run in report.failures for each in run.mismatches} == {"result"}


def test_harness_when_the_workflow_asks_then_it_is_answered() -> None:
    report = quickly("asks", answers={"approval": "yes"})

    assert report.survived
    assert any("under-test becomes waiting" in run.point.wrote for run in report.runs)


def test_harness_when_nobody_answers_then_it_says_so() -> None:
    with pytest.raises(AssertionError, match=r"Waiting: .*answers={'approval': …}"):
        quickly("asks")


def test_harness_when_memory_is_relied_on_then_a_killed_process_shows_it() -> None:
    with pytest.raises(DidNotSurvive) as caught:
        survives_kills(app, "memory")

    assert "result: 2, and undisturbed 3" in _messages(caught.value.report)
    text = str(caught.value)
    assert "killed right after checkpoint 3 (stage_complete of under-test/first):" in text
    assert "memory of the process" in text


def test_harness_when_a_steps_input_is_random_then_the_error_of_the_recovery_is_told() -> None:
    report = quickly("random-input")

    (mismatch,) = report.failures[0].mismatches
    assert mismatch.what == "recovery"
    assert mismatch.problem.startswith("raised InputChanged: step under-test/greet")
    assert "random value" in mismatch.hint


def test_harness_when_the_result_is_drawn_outside_of_steps_then_the_last_kill_shows_it() -> None:
    report = quickly("random-result")

    assert report.varying == ("result",)
    (failure,) = report.failures
    assert (failure.point.number, failure.point.side) == (report.checkpoints, "before")
    assert failure.mismatches[0].what == "result"
    assert "the killed run had" in failure.mismatches[0].problem


def test_harness_when_the_order_of_a_set_is_relied_on_then_another_process_shows_it() -> None:
    report = kill_everywhere(app, "set-order")

    (failure,) = report.failures
    assert (failure.point.number, failure.point.side) == (report.checkpoints, "before")
    assert failure.mismatches[0].what.startswith("result[")


def test_harness_when_a_steps_name_is_random_then_it_is_found() -> None:
    report = quickly("random-names")

    assert "steps" in report.varying
    assert _messages(report) == {"steps: 4 ran, each under its name, and undisturbed 3"}


def test_harness_when_an_effect_is_in_no_step_then_the_world_outside_shows_it(
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "ledger"

    with pytest.raises(DidNotSurvive) as caught:
        survives_kills(
            app,
            "counts-twice",
            input=str(ledger),
            fresh=lambda: ledger.write_text(""),
            outside=lambda: ledger.read_text().splitlines(),
        )

    assert _messages(caught.value.report) == {
        'outside[1]: there is "charged", and undisturbed nothing'
    }


def test_harness_when_a_finished_step_runs_again_then_it_is_named() -> None:
    report = quickly("reruns")

    assert "step greet: ran 2 times, although it was finished before the kill" in _messages(report)


def test_harness_when_the_workflow_fails_undisturbed_then_that_is_said_first() -> None:
    with pytest.raises(AssertionError, match="'fails' fails undisturbed: RuntimeError: out of"):
        quickly("fails")


def test_harness_when_the_recovery_hangs_then_it_is_ended_and_what_it_printed_is_told() -> None:
    report = kill_everywhere(app, "hangs-when-carried-on", at_most=3, timeout=1.0)

    first, failure, last = report.runs
    assert first.survived, "killed before anything was stored, it began anew"
    assert last.survived, "killed after it was completed, nothing runs"
    assert "did not end within 1 s" in failure.mismatches[0].problem
    assert "looking for the printer" in failure.mismatches[0].problem


def test_harness_when_the_carrying_process_dies_by_itself_then_its_status_is_told() -> None:
    report = kill_everywhere(app, "dies-by-itself", at_most=3)

    (failure,) = report.failures
    assert "the process ended with 3" in failure.mismatches[0].problem


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda app: survives_kills(app, "rigth"), "did you mean 'right'"),
        (lambda app: survives_kills(app, "handler"), "give a workflow"),
        (lambda app: survives_kills(app, "right", store="memory"), "in_process=True"),
        (lambda app: survives_kills(app, "right", store="mysql"), "no store 'mysql'"),
        (lambda app: survives_kills(app, "right", at_most=0), "at_most is 0; give 1 or more"),
        (lambda app: survives_kills(app, "local"), "none that can be imported; define it at"),
    ],
)
def test_harness_when_it_cannot_do_what_is_asked_then_it_says_what_to_do(
    call: Callable[[holdfast.Registry], KillReport], message: str
) -> None:
    registry = holdfast.Registry()
    registry.workflow("right")(app.get("right").function)  # type: ignore[union-attr]
    registry.handler("handler")(print)
    registry.workflow("local")(lambda _: None)

    with pytest.raises(holdfast.HoldfastError, match=message):
        call(registry)
