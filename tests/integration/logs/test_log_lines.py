"""The log of an engine: what is written, what never is, and what is left alone."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import holdfast
import pytest
import structlog
from holdfast.application.commands.create_checkpoint import CreateCheckpoint, create_checkpoint
from holdfast.application.scribe import Entry
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.payload import Payload
from holdfast.domain.scope import Scope
from holdfast.infrastructure.clock import ManualClock

HIDDEN = "hush-7c1f"
FIELDS = {"timestamp", "level", "event", "actor", "workflow_id", "checkpoint_id", "epoch"}
FIELDS |= {"correlation_id"}

app = holdfast.Registry()


@app.workflow("release", max_retries=1)
def release(run: holdfast.Run) -> Any:
    run.checkpoint(state={"key": HIDDEN})
    run.step("one", str.upper, HIDDEN)
    with run.stage("many", kind="parallel") as stage:
        stage.map(str.upper, [HIDDEN, HIDDEN + "2"], key=lambda each: str(len(each)), workers=2)
    if run.input["fails"]:
        raise ValueError(f"no luck with {HIDDEN}")
    return {"key": HIDDEN}


class Lines:
    """A log in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def log(self, level: str = "debug", **options: Any) -> holdfast.Log:
        return holdfast.Log(level, "json", str(self.file), **options)

    @property
    def text(self) -> str:
        return self.file.read_text()

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    return Lines(tmp_path / "log")


@pytest.fixture(params=["sqlite", "json", "memory"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = tmp_path / "store.db"
    return {"sqlite": str(path), "json": f"json:{path}", "memory": "memory:"}[request.param]


AT_ONCE = holdfast.Settings(back_off_base=0)


def _fail_until_killed(engine: holdfast.Engine) -> None:
    with pytest.raises(ValueError, match="no luck"):
        engine.start("release", workflow_id="w", input={"fails": True, "key": HIDDEN})
    while not engine.workflows(status="killed"):
        engine.recover("w")


class TestLines:
    def test_lines_when_a_workflow_fails_till_it_is_killed_then_they_are_the_log_of_events(
        self, lines: Lines, target: str
    ) -> None:
        with holdfast.open(target, registry=app, settings=AT_ONCE, log=lines.log()) as engine:
            _fail_until_killed(engine)
            events = engine.events(limit=1000)

        told = [
            (line["event"], line["checkpoint_id"], line["epoch"], line["correlation_id"])
            for line in lines.all()
        ]
        logged = [
            (each.kind, str(each.checkpoint_id or "") or None, each.epoch, each.correlation_id)
            for each in events
        ]
        # Two agents side by side may be told of in either order.
        assert sorted(told, key=str) == sorted(logged, key=str)
        kinds = {line["event"] for line in lines.all()}
        assert kinds >= {"lease_taken", "attempt_begun", "created", "completed", "failed", "killed"}
        assert all(set(line) >= FIELDS for line in lines.all())

    def test_lines_when_told_then_one_correlation_id_an_attempt_as_its_record_has(
        self, lines: Lines, target: str
    ) -> None:
        with holdfast.open(target, registry=app, settings=AT_ONCE, log=lines.log()) as engine:
            _fail_until_killed(engine)
            attempts = {each.epoch: each.correlation_id for each in engine.attempts("w")}

        assert len(set(attempts.values())) >= 2
        assert {(line["epoch"], line["correlation_id"]) for line in lines.all()} == set(
            attempts.items()
        )

    def test_lines_when_states_inputs_outputs_and_errors_hold_a_secret_then_none_has_it(
        self, lines: Lines, target: str
    ) -> None:
        with holdfast.open(target, registry=app, settings=AT_ONCE, log=lines.log()) as engine:
            engine.start("release", workflow_id="good", input={"fails": False, "key": HIDDEN})
            with pytest.raises(holdfast.InputChanged, match=HIDDEN):
                engine.start("release", workflow_id="good", input={"key": HIDDEN + "!"})
            _fail_until_killed(engine)
            with pytest.raises(holdfast.StateNotSerializable):
                engine.checkpoint("rec", state={"key": {HIDDEN}})
            engine.checkpoint("rec", state={"key": HIDDEN}, metadata={"key": HIDDEN})

        assert len(lines.all()) > 20
        assert HIDDEN not in lines.text

    def test_lines_when_messages_of_errors_are_wanted_then_they_are_there(
        self, lines: Lines
    ) -> None:
        log = lines.log(error_messages=True)
        with holdfast.open("memory:", registry=app, settings=AT_ONCE, log=log) as engine:
            _fail_until_killed(engine)

        failed = [line for line in lines.all() if line["event"] == "failed"]
        assert all(line["error"] == f"ValueError: no luck with {HIDDEN}" for line in failed)

    def test_lines_when_the_level_is_higher_then_less_is_written(self, lines: Lines) -> None:
        log = lines.log("warning")
        with holdfast.open("memory:", registry=app, settings=AT_ONCE, log=log) as engine:
            _fail_until_killed(engine)

        assert {line["level"] for line in lines.all()} == {"warning", "error"}

    def test_lines_when_the_clock_is_turned_by_hand_then_they_have_its_time(
        self, lines: Lines
    ) -> None:
        clock = ManualClock()
        with holdfast.open("memory:", clock=clock, log=lines.log()) as engine:
            clock.advance(90)
            engine.checkpoint("w")

        assert [line["timestamp"] for line in lines.all()] == ["2026-01-01T00:01:30.000000+00:00"]

    def test_lines_when_tasks_write_side_by_side_then_each_checkpoint_once(
        self, lines: Lines, tmp_path: Path
    ) -> None:
        async def main() -> None:
            async with holdfast.open_async(tmp_path / "a.db", log=lines.log()) as engine:
                await asyncio.gather(*(engine.checkpoint(f"w{n}") for n in range(50)))

        asyncio.run(main())

        assert sorted(line["checkpoint_id"] for line in lines.all()) == sorted(
            f"w{n}@1" for n in range(50)
        )

    def test_lines_when_threads_share_commits_then_each_checkpoint_once(
        self, lines: Lines, tmp_path: Path
    ) -> None:
        with holdfast.open(tmp_path / "a.db", log=lines.log()) as engine:
            threads = [
                threading.Thread(target=lambda n=n: [engine.checkpoint(f"w{n}") for _ in range(20)])
                for n in range(8)
            ]
            for each in threads:
                each.start()
            for each in threads:
                each.join()

        told = [line["checkpoint_id"] for line in lines.all()]
        assert sorted(told) == sorted(f"w{n}@{m}" for n in range(8) for m in range(1, 21))

    def test_lines_when_a_child_writes_under_the_lease_then_with_the_attempts_correlation_id(
        self, lines: Lines, tmp_path: Path
    ) -> None:
        store, of_child = tmp_path / "a.db", Lines(tmp_path / "child.log")
        with (
            holdfast.open(store, log=lines.log()) as parent,
            holdfast.open(store, log=of_child.log()) as child,
            parent.run("w"),
        ):
            entry = Entry(Scope("w"), CheckpointType.PROGRESS, Payload(), name="by the child")
            credentials = parent._credentials("w")
            child._kernel.dispatcher.execute(
                create_checkpoint, CreateCheckpoint(entry, credentials=credentials)
            )
            (attempt,) = parent.attempts("w")

        (line,) = of_child.all()
        assert line["correlation_id"] == attempt.correlation_id
        assert {each["correlation_id"] for each in lines.all()} == {attempt.correlation_id}

    def test_lines_when_a_write_is_refused_then_with_the_correlation_id_of_who_lost(
        self, lines: Lines, tmp_path: Path
    ) -> None:
        with holdfast.open(tmp_path / "a.db", log=lines.log()) as engine:
            with pytest.raises(holdfast.Fenced), engine.run("w", handler="release") as run:
                _take_over(tmp_path / "a.db", run)
            lost = engine.attempts("w")[0]
            refused = [each for each in engine.events() if each.kind == "write_refused"]

        told = [line for line in lines.all() if line["event"] == "write_refused"]
        assert {each.correlation_id for each in refused} == {lost.correlation_id}
        assert {line["correlation_id"] for line in told} == {lost.correlation_id}
        assert all("Fenced" in line["error"] and "refused" in line["message"] for line in told)


def _take_over(store: Path, run: holdfast.Run) -> None:
    with holdfast.open(store, registry=app) as other:
        other.recover("w", force=True, handler="release")
    run.checkpoint(name="too late")


class TestHost:
    def test_open_when_nothing_is_said_then_silent_and_nothing_is_loaded(
        self, tmp_path: Path
    ) -> None:
        code = (
            "import holdfast, sys\n"
            "with holdfast.open('memory:') as engine: engine.checkpoint('w', state={})\n"
            "assert 'structlog' not in sys.modules\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_open_when_it_logs_then_what_the_host_set_up_is_untouched(self, lines: Lines) -> None:
        structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
        try:
            before = _set_up()
            with holdfast.open("memory:", registry=app, settings=AT_ONCE, log=lines.log()) as e:
                _fail_until_killed(e)
            assert _set_up() == before
        finally:
            structlog.reset_defaults()
        assert lines.all()

    def test_open_when_given_a_logger_of_the_host_then_its_processors_get_the_events(self) -> None:
        seen: list[dict[str, Any]] = []

        def keep(_logger: Any, method: str, line: Any) -> Any:
            seen.append({"level": method, **line})
            raise structlog.DropEvent

        logger = structlog.wrap_logger(structlog.PrintLogger(io.StringIO()), processors=[keep])

        with holdfast.open("memory:", log=logger) as engine:
            engine.checkpoint("w", resume_handler="h", state={"key": HIDDEN})

        assert [line["event"] for line in seen] == ["created", "created"]
        assert seen[0]["workflow_id"] == "w"
        assert HIDDEN not in str(seen)

    @pytest.mark.parametrize("form", ["json", "console", "auto"])
    def test_open_when_given_a_form_then_lines_on_standard_error_alone(
        self, form: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with holdfast.open("memory:", log=form) as engine, engine.run("w"):
            pass

        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 3
        assert ("lease_taken  " in err) == (form == "console")

    @pytest.mark.parametrize(
        ("log", "why"),
        [
            ("yaml", "there is no log form 'yaml'"),
            (3, "log is int; give a holdfast.Log"),
            (holdfast.Log(file="/nowhere/at/all.log"), "cannot be written to /nowhere/at/all"),
        ],
    )
    def test_open_when_the_log_cannot_be_then_said(self, log: Any, why: str) -> None:
        with pytest.raises(holdfast.InvalidRequest, match=why):
            holdfast.open("memory:", log=log)

    def test_write_when_the_log_cannot_be_written_then_kept_all_the_same(self) -> None:
        with holdfast.open("memory:", log=holdfast.Log("debug", file="/dev/full")) as engine:
            assert str(engine.checkpoint("w").id) == "w@1"


def _set_up() -> list[Any]:
    """Return what there is of the host's logging, as far as it can be seen."""
    root = logging.getLogger()
    manager = logging.Logger.manager
    ours = [name for name in manager.loggerDict if "holdfast" in name]
    known = structlog.get_config()
    return [root.level, list(root.handlers), list(root.filters), ours, logging.root.disabled] + [
        known,
        list(known["processors"]),
        logging.getLoggerClass(),
    ]


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    assert not structlog.is_configured()
