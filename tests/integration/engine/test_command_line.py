"""The command line: what each command prints, with --json and without, and how it ends."""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import connect
from typing import Any, TypeAlias

import click
import holdfast
import pytest
from holdfast.application.queries.outline_workflow import ScopeOutline
from holdfast.domain.scope import Scope
from holdfast.infrastructure.sqlite.format import APPLICATION_ID, SCHEMA
from holdfast.infrastructure.sqlite.upgrade import run_revisions
from holdfast.interface.cli.main import COMMANDS, main
from holdfast.interface.cli.main import holdfast as group
from holdfast.interface.cli.outline_tree import tree_of
from holdfast.interface.times import Times
from rich.console import Console

_numbers = itertools.count()

CREW = """
import holdfast

app = holdfast.Registry()

@app.workflow("release", max_retries=1)
def release(run):
    with run.stage("read", kind="parallel") as stage:
        parts = stage.map(str.upper, run.input or ["a"])
    if run.input == ["bad"]:
        raise ValueError("no luck\\nat all")
    return {"parts": parts}

@app.handler("h")
def handle(run):
    run.stage("late").__enter__()
    return run.state

def make():
    return app

class Namespace:
    inner = app

number = 5
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


WITHOUT_A_STORE = [
    ["upgrade"],
    ["workflows"],
    ["recover", "w"],
    ["recover", "w", "--dry-run"],
    ["complete", "w@1"],
    ["fail", "w@1", "--message", "no"],
]

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]
Cli: TypeAlias = Callable[..., Ended]
Program: TypeAlias = Callable[[str], str]


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Leave the process as it was: the command line is made for a process of its own."""
    for name in [each for each in os.environ if each.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Return what runs a command in this process."""

    def run(*args: str, stdin: str | None = None) -> Ended:
        if stdin is not None:
            stream = io.TextIOWrapper(io.BytesIO(stdin.encode()))
            monkeypatch.setattr(sys, "stdin", stream)
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(args)
        out, err = capsys.readouterr()
        assert type(caught.value.code) is int
        return Ended(caught.value.code, out, err)

    return run


@pytest.fixture
def on_store(cli: Cli, store: Path) -> Cli:
    """Return what runs a command on the store."""
    return lambda *args, **options: cli("--store", str(store), *args, **options)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """Return what makes a module of a text, and gives its name; engines in it are closed."""
    made: list[str] = []

    def make(text: str = CREW) -> str:
        name = f"crew_{next(_numbers)}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        made.append(name)
        return name

    yield make
    for name in made:
        module = sys.modules.pop(name, None)
        if isinstance(engine := getattr(module, "engine", None), holdfast.Engine):
            engine.close()


@pytest.fixture
def written(store: Path) -> None:
    """Write a workflow with a finished and a failed agent, and a record."""
    with holdfast.open(store) as engine:
        engine.checkpoint(
            "a/b", type="workflow_start", name="Nightly", resume_handler="h", input={"q": 1}
        )
        engine.checkpoint("a/b", type="stage_start", stage_id="s")
        engine.checkpoint("a/b", type="agent_start", stage_id="s", agent_id="x", input=[1])
        engine.checkpoint("a/b", type="agent_start", stage_id="s", agent_id="y")
        engine.complete("a%2Fb/s/x@3", {"found": 2**70})
        engine.fail("a%2Fb/s/y@4", ValueError("no luck"))
        engine.checkpoint("a/b", state={"n": 1}, metadata={"team": "blue"})
        engine.checkpoint("rec", name="alone", state={"é": None, "n": 1})


class TestAnswering:
    @pytest.fixture
    def asked(self, store: Path) -> None:
        with (
            holdfast.open(store) as engine,
            pytest.raises(holdfast.Waiting),
            engine.run("d 1", handler="h") as run,
        ):
            run.wait("approval", ask={"amount": 5})

    @pytest.mark.parametrize("text", ["{ok: true}", " [1,", '"yes'])
    def test_answer_when_text_begins_like_json_and_is_none_then_refused(
        self, on_store: Cli, asked: None, text: str
    ) -> None:
        refused = on_store("answer", "d 1", "approval", text)
        taken = on_store("answer", "d 1", "approval", text, "--text")

        assert (refused.code, refused.out) == (2, "")
        assert "--text" in refused.err
        assert (taken.code, json.dumps(text) in taken.out) == (0, True)

    def test_answer_when_taken_then_echoed_as_recorded(self, on_store: Cli, asked: None) -> None:
        told = on_store("answer", "d 1", "approval", '{"ok":true}')

        assert told.out.startswith('d 1 has its answer: {"ok": true}')

    def test_recover_when_it_waits_then_the_whole_command_and_the_question(
        self, on_store: Cli, asked: None
    ) -> None:
        planned = on_store("recover", "d 1", "--dry-run", "--handler", "h")
        shown = on_store("tree", "d 1")

        command = "holdfast answer 'd 1' approval '…'"
        for each in (planned, shown):
            assert command in each.out
            assert '{"amount": 5}' in each.out


class TestMisspeltStores:
    def test_store_when_one_beside_is_like_it_then_named_first(self, cli: Cli, store: Path) -> None:
        store.rename("survey.db")
        ended = cli("--store", "surve.db", "workflows")

        assert ended.code == 5
        assert "did you mean survey.db? Else make one with" in ended.err

    def test_store_when_its_scheme_is_misspelt_then_the_one_meant_is_named(self, cli: Cli) -> None:
        ended = cli("--store", "jsn:folder", "init")

        assert (ended.code, "json:folder" in ended.err) == (2, True)
        assert not Path("jsn:folder").exists()


class TestFailing:
    @pytest.mark.parametrize(
        ("retries", "sequel"),
        [
            (
                1,
                "its retries are used up and it is killed: mend the cause, then `holdfast retry w`",
            ),
            (5, "; due again in "),
        ],
    )
    def test_recover_when_it_fails_then_what_comes_of_it(
        self, on_store: Cli, program: Program, tmp_path: Path, retries: int, sequel: str
    ) -> None:
        name = program(CREW.replace("max_retries=1", f"max_retries={retries}"))
        (tmp_path / "bad.json").write_text('["bad"]')
        on_store("--app", f"{name}:app", "start", "release", "w", "--input", "bad.json")
        told = on_store("--app", f"{name}:app", "recover", "w", "--force").err

        assert "no luck" in told
        assert sequel in told
        assert "traceback: `holdfast show w`" in told


class TestScopesAndEnds:
    def test_recover_when_a_scope_is_named_then_its_handler_is_chosen(
        self, on_store: Cli, store: Path
    ) -> None:
        with holdfast.open(store) as engine:
            engine.checkpoint("w", type="workflow_start", resume_handler="whole")
            engine.checkpoint("w", type="stage_start", stage_id="s", resume_handler="part")
        planned = on_store("recover", "w/s", "--dry-run")
        unknown = on_store("recover", "w/t", "--dry-run")

        assert "'part'" in planned.out
        assert unknown.code == 3

    def test_ends_when_it_is_completed_then_nothing_is_advised(
        self, on_store: Cli, store: Path
    ) -> None:
        with holdfast.open(store) as engine, engine.run("w"):
            pass
        recovered = on_store("recover", "w")
        planned = on_store("recover", "w", "--dry-run")
        cancelled = on_store("cancel", "w")

        assert recovered.code == 4
        assert recovered.err.endswith("; nothing is to be done\n")
        assert "handler" not in recovered.err
        assert "w is completed" in planned.out
        assert (cancelled.code, "--parent" in cancelled.err) == (4, False)


class TestLooking:
    def test_workflows_when_there_are_some_then_listed(self, on_store: Cli, written: None) -> None:
        table = on_store("workflows")
        ended = on_store("--json", "workflows")

        record, opened = ended.json
        assert (table.code, table.err, ended.code, ended.err) == (0, "", 0, "")
        assert all(part in table.out for part in ("a%2Fb", "active", "h", "rec", "record"))
        assert (opened["workflow_id"], opened["status"], opened["handler"]) == (
            "a/b",
            "active",
            "h",
        )
        assert (opened["head"], opened["checkpoints"]) == ("a%2Fb@7", 7)
        assert (record["workflow_id"], record["status"]) == ("rec", None)

    def test_workflows_when_filtered_then_those_alone(self, on_store: Cli, written: None) -> None:
        names = [each["workflow_id"] for each in on_store("--json", "workflows").json]
        active = on_store("--json", "workflows", "--status", "active").json
        first = on_store("--json", "workflows", "--limit", "1").json

        assert names == ["rec", "a/b"]
        assert [each["workflow_id"] for each in active] == ["a/b"]
        assert [each["workflow_id"] for each in first] == ["rec"]

    def test_list_when_filtered_then_those_alone(self, on_store: Cli, written: None) -> None:
        def ids(*args: str) -> list[str]:
            return [each["id"] for each in on_store("--json", "list", *args).json]

        table = on_store("list", "a%2Fb")

        assert table.code == 0
        assert "a%2Fb/s/x@5" in table.out
        assert "rec" not in table.out
        assert ids() == ["rec@1", *(f"a%2Fb{scope}" for scope in ("@7", "/s/y@6"))] + [
            "a%2Fb/s/x@5",
            "a%2Fb/s/y@4",
            "a%2Fb/s/x@3",
            "a%2Fb/s@2",
            "a%2Fb@1",
        ]
        assert ids("a%2Fb", "--type", "agent_start") == ["a%2Fb/s/y@4", "a%2Fb/s/x@3"]
        assert ids("--status", "failed") == ["a%2Fb/s/y@6", "a%2Fb/s/y@4"]
        assert ids("--metadata", "team=blue") == ["a%2Fb@7"]
        assert ids("--older-than", "a%2Fb@7", "--limit", "1") == ["a%2Fb/s/y@6"]

    def test_list_when_as_json_then_names_of_the_attributes(
        self, on_store: Cli, written: None
    ) -> None:
        (record,) = on_store("--json", "list", "rec").json

        assert (record["id"], record["type"], record["status"]) == (
            "rec@1",
            "progress",
            "completed",
        )
        assert (record["name"], record["parent_id"], record["depends_on"]) == ("alone", None, [])
        assert record["created_at"].endswith("+00:00")

    def test_show_when_asked_then_all_that_it_holds(self, on_store: Cli, written: None) -> None:
        shown = on_store("show", "a%2Fb/s/x@5")
        ended = on_store("show", "a%2Fb/s/x@5", "--json")

        assert (shown.code, ended.code) == (0, 0)
        assert all(part in shown.out for part in ("agent_complete", str(2**70), "Nightly"))
        assert ended.json["output"] == {"found": 2**70}
        assert ended.json["agent"]["input"] == [1]
        assert ended.json["workflow"]["name"] == "Nightly"
        assert ended.json["stage"]["completed_agents"] == ["x"]

    def test_latest_when_asked_then_the_newest_and_what_it_holds(
        self, on_store: Cli, written: None
    ) -> None:
        shown = on_store("latest", "a%2Fb")
        ended = on_store("--json", "latest", "rec")

        assert "a%2Fb@7" in shown.out
        assert (ended.json["id"], ended.json["state"]) == ("rec@1", {"é": None, "n": 1})

    def test_tree_when_asked_then_stages_and_agents_with_their_states(
        self, on_store: Cli, written: None
    ) -> None:
        shown = on_store("tree", "a%2Fb")
        ended = on_store("--json", "tree", "a%2Fb")

        lines = shown.out.splitlines()
        assert lines[0].startswith("a%2Fb  active")
        assert [("s  active" in lines[1]), ("x  completed" in lines[2])] == [True, True]
        assert "y  failed" in lines[3]
        assert "no luck" in lines[3]
        (stage,) = ended.json["inside"]
        assert [(each["scope"], each["status"]) for each in stage["inside"]] == [
            ("a%2Fb/s/x", "completed"),
            ("a%2Fb/s/y", "failed"),
        ]

    def test_tree_when_opened_anew_then_times_count_from_the_earliest_that_is_shown(self) -> None:
        begun = datetime(2026, 3, 14, 12, tzinfo=UTC)
        inner = ScopeOutline(Scope("w", "gather"), since=begun)
        outline = ScopeOutline(
            Scope("w"), since=begun + timedelta(seconds=55), opened=2, inside=[inner]
        )
        console = Console(width=80)
        with console.capture() as shown:
            console.print(tree_of(outline, Times(begun + timedelta(minutes=3), "relative")))

        assert "+0.00 s" in shown.get()

    def test_svg_when_drawn_then_private_and_whole_and_trouble_is_that_of_other_files(
        self, on_store: Cli, written: None, tmp_path: Path
    ) -> None:
        drawn = tmp_path / "w.svg"
        drawn.write_text("old")
        drawn.chmod(0o644)
        told = on_store("tree", "a%2Fb", "--svg", str(drawn))
        lost = on_store("tree", "a%2Fb", "--svg", str(tmp_path / "nowhere" / "w.svg"))

        assert (told.code, drawn.stat().st_mode & 0o777) == (0, 0o600)
        assert drawn.read_text().endswith("</svg>\n")
        assert (lost.code, "cannot be written: No such file" in lost.err) == (5, True)
        assert not list(tmp_path.glob(".holdfast-*"))

    def test_context_when_asked_then_json_with_the_option_and_without(
        self, on_store: Cli, written: None
    ) -> None:
        plain = on_store("context", "a%2Fb")
        older = on_store("--json", "context", "a%2Fb/s@2")

        assert plain.json["workflow_state"] == {"n": 1}
        assert plain.json["outputs"] == {"s/x": {"found": 2**70}}
        assert older.json["checkpoint_id"] == "a%2Fb/s@2"
        assert [each["scope"] for each in older.json["interrupted"]] == ["a%2Fb", "a%2Fb/s"]

    def test_attempts_when_there_were_some_then_listed_and_no_token_shown(
        self, on_store: Cli, store: Path
    ) -> None:
        with (
            pytest.raises(ValueError, match="no luck"),
            holdfast.open(store) as engine,
            engine.run("w", handler="h"),
        ):
            raise ValueError("no luck")
        shown = on_store("attempts", "w")
        ended = on_store("--json", "attempts", "w")

        assert all(part in shown.out for part in ("failed", "ValueError: no luck", "h"))
        (attempt,) = ended.json
        assert (attempt["number"], attempt["epoch"], attempt["outcome"]) == (1, 1, "failed")
        assert attempt["error"]["message"] == "no luck"
        assert '"token"' not in ended.out

    def test_events_when_asked_then_the_log_from_a_number_on(
        self, on_store: Cli, written: None
    ) -> None:
        shown = on_store("events")
        whole = on_store("--json", "events").json
        later = on_store("--json", "events", "--after", str(whole[2]["number"]), "--limit", "2")
        record = on_store("--json", "events", "rec").json

        assert (shown.code, len(shown.out.splitlines()) > len(whole)) == (0, True)
        assert later.json == whole[3:5]
        assert [each["checkpoint_id"] for each in record] == ["rec@1"]
        assert record[0]["kind"] == "created"

    def test_events_and_list_when_there_is_more_then_said_on_standard_error(
        self, on_store: Cli, written: None
    ) -> None:
        total = len(on_store("--json", "events").json)
        cut = on_store("--json", "events", "--limit", "3")
        after = cut.json[-1]["number"]
        listed = on_store("list", "--limit", "2")
        whole = on_store("events", "--limit", str(total))

        assert cut.err == f"holdfast: {total - 3} more; --limit N or --after {after}\n"
        assert listed.err == "holdfast: 6 more; --limit N or --older-than a%2Fb@7\n"
        assert (whole.err, on_store("list", "--limit", "8").err) == ("", "")

    def test_events_when_the_last_are_asked_for_then_those(
        self, on_store: Cli, written: None
    ) -> None:
        whole = on_store("--json", "events").json

        assert on_store("--json", "events", "--last", "2").json == whole[-2:]
        assert on_store("--json", "events", "--last", "2000").json == whole

    def test_stale_when_nobody_carries_it_on_then_listed_with_what_stands_in_the_way(
        self, on_store: Cli, store: Path
    ) -> None:
        with holdfast.open(store) as engine:
            engine.run("w", handler="gone")
        shown = on_store("stale")
        ended = on_store("--json", "stale")
        untouched = on_store("--json", "stale", "--threshold", "0")

        assert all(part in shown.out for part in ("w", "given up", "gone", "not registered"))
        lines = [line.rstrip() for line in shown.out.splitlines()]
        assert lines[0] == "w  active"
        assert "  because     its lease was given up" in lines
        (found,) = ended.json
        assert (found["workflow_id"], found["because"]) == ("w", "its lease was given up")
        assert found["open_scopes"] == ["w"]
        assert "'gone' is not registered" in found["obstacles"][0]
        assert [each["workflow_id"] for each in untouched.json] == ["w"]

    def test_stale_when_nothing_is_then_says_so_and_what_would_count_when(
        self, on_store: Cli, store: Path
    ) -> None:
        nothing = on_store("stale")
        with holdfast.open(store) as engine:
            for name in "abcd":
                since = engine.checkpoint(name, resume_handler="h").created_at
        soon = on_store("stale")
        counted = on_store("stale", "--threshold", "0")
        never = on_store("stale", "--threshold", "1e300")

        assert (nothing.code, nothing.out) == (0, "nothing is stale\n")
        assert soon.out.startswith("nothing is stale; without a lease and silent for less than")
        counts_at = (since + timedelta(minutes=30)).strftime("%Y-%m-%d %H:")
        assert f"(from {counts_at}" in soon.out
        assert " and 1 more" in soon.out
        assert on_store("--json", "stale").json == []
        assert "nothing is stale" not in counted.out
        assert "(from never on)" in never.out

    def test_show_when_a_scope_is_named_then_its_newest_checkpoint(
        self, on_store: Cli, written: None
    ) -> None:
        assert on_store("--json", "show", "a%2Fb").json["id"] == "a%2Fb@7"
        assert on_store("--json", "show", "a%2Fb/s").json["id"] == "a%2Fb/s@2"
        assert on_store("--json", "show", "a%2Fb/s/y").json["id"] == "a%2Fb/s/y@6"

    def test_show_when_values_are_long_then_whole_and_a_traceback_as_text(
        self, on_store: Cli, store: Path
    ) -> None:
        with holdfast.open(store) as engine:
            engine.checkpoint("w", state={"log": "x" * 5000, "deep": {"n": "y" * 300}})
            try:
                raise ValueError("no luck")
            except ValueError as error:
                engine.fail("w@1", error)

        state = on_store("show", "w@1").out
        failed = on_store("show", "w@2").out

        assert json.dumps("x" * 5000) in state
        assert json.dumps("y" * 300) in state
        assert "\nTraceback (most recent call last):\n  File " in failed
        assert "\\n" not in failed
        assert "ValueError: no luck" in failed

    @pytest.mark.parametrize(
        "command",
        [["workflows"], ["list"], ["events"], ["stale"], ["tree", "rec"], ["show", "rec@1"]],
        ids=lambda each: each[0],
    )
    def test_looking_when_done_then_the_store_is_not_changed(
        self, on_store: Cli, store: Path, written: None, command: list[str]
    ) -> None:
        before = store.read_bytes()

        assert on_store(*command).code == 0

        assert store.read_bytes() == before


class TestWriting:
    def test_init_when_there_is_no_store_then_made_for_its_owner_alone(
        self, cli: Cli, tmp_path: Path
    ) -> None:
        path = tmp_path / "new.db"

        first = cli("--store", str(path), "init")
        again = cli("--store", f"sqlite:///{path}", "--json", "init")

        assert (first.code, first.out) == (0, f"{path} is ready\n")
        assert (again.code, again.json) == (0, {"store": str(path)})
        assert path.stat().st_mode & 0o777 == 0o600
        assert cli("--store", str(path), "--json", "workflows").json == []

    def test_upgrade_when_the_store_is_older_then_says_from_which_to_which_and_then_that_it_is_done(
        self, cli: Cli, tmp_path: Path
    ) -> None:
        path = tmp_path / "old.db"
        _make_store_of_schema_1(path)

        old = cli("--store", str(path), "workflows")
        first = cli("--store", str(path), "upgrade")
        again = cli("--store", str(path), "upgrade")
        as_json = cli("--store", str(path), "--json", "upgrade")

        assert old.code == 5
        assert "run `holdfast upgrade`" in old.err
        assert (first.code, first.err) == (0, "")
        assert first.out == f"{path} is upgraded from schema 1 to {SCHEMA}\n"
        assert (again.code, again.out) == (0, f"{path} is up to date: schema {SCHEMA}\n")
        assert as_json.json == {"store": str(path), "found_schema": SCHEMA, "schema": SCHEMA}
        assert cli("--store", str(path), "workflows").code == 0

    def test_upgrade_when_the_store_is_newer_then_5_and_untouched(
        self, on_store: Cli, store: Path
    ) -> None:
        with closing(connect(store)) as connection:
            connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
        before = store.read_bytes()

        ended = on_store("upgrade")

        assert (ended.code, ended.out) == (5, "")
        assert f"has schema {SCHEMA + 1}, this version of Holdfast writes {SCHEMA}" in ended.err
        assert store.read_bytes() == before

    @pytest.mark.parametrize("args", WITHOUT_A_STORE, ids=" ".join)
    def test_command_when_the_store_is_not_there_or_empty_then_5_and_none_is_made(
        self, cli: Cli, program: Program, tmp_path: Path, args: list[str]
    ) -> None:
        app, missing, empty = f"{program(CREW)}:app", tmp_path / "typo.db", tmp_path / "empty.db"
        empty.touch()

        none = cli("--store", str(missing), "--app", app, *args)
        nothing = cli("--store", str(empty), "--app", app, *args)

        assert (none.code, nothing.code) == (5, 5)
        assert "make one with `holdfast init`" in none.err
        assert "is empty" in nothing.err
        assert not missing.exists()
        assert empty.stat().st_size == 0

    def test_start_when_the_name_is_unknown_then_no_store_is_made(
        self, cli: Cli, program: Program, tmp_path: Path
    ) -> None:
        path = tmp_path / "new.db"

        ended = cli("--store", str(path), "--app", f"{program(CREW)}:app", "start", "relase", "r")

        assert (ended.code, ended.out) == (3, "")
        assert "did you mean 'release'?" in ended.err
        assert not path.exists()

    def test_checkpoint_when_written_then_its_id_is_printed(
        self, on_store: Cli, store: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "state.json").write_text('{"n": 1}')
        on_store("checkpoint", "a%2Fb", "--handler", "h", "--max-retries", "7")

        ended = on_store(
            *("checkpoint", "a%2Fb", "--type", "agent_start", "--stage", "s", "--agent", "x"),
            *("--name", "Ann", "--state", "state.json", "--input", "-", "--depends-on", "a%2Fb@1"),
            *("--metadata", "team=blue", "--metadata", "k=a=b"),
            stdin="[1, 2.0, null]",
        )

        assert (ended.code, ended.out, ended.err) == (0, "a%2Fb/s/x@3\n", "")
        with holdfast.open(store) as engine:
            found = engine.get("a%2Fb/s/x@3")
            assert (found.name, found.state, found.input) == ("Ann", {"n": 1}, [1, 2.0, None])
            assert found.metadata == {"team": "blue", "k": "a=b"}
            assert list(map(str, found.depends_on)) == ["a%2Fb@1"]
            assert engine.get("a%2Fb@1").max_retries == 7

    def test_checkpoint_when_as_json_then_the_whole_header(self, on_store: Cli) -> None:
        on_store("checkpoint", "w", "--patch", "-", stdin='{"n": 1}')

        ended = on_store("--json", "checkpoint", "w", "--parent", "w@1", "--output", "-", stdin="7")

        assert (ended.json["id"], ended.json["parent_id"]) == ("w@2", "w@1")
        assert on_store("--json", "show", "w@2").json["output"] == 7
        assert on_store("context", "w").json["workflow_state"] == {"n": 1}

    def test_complete_when_scopes_are_open_then_refused_or_abandoned(
        self, on_store: Cli, written: None
    ) -> None:
        refused = on_store("complete", "a%2Fb@1")
        done = on_store("complete", "a%2Fb@1", "--abandon", "--output", "-", stdin='"all"')
        again = on_store("--json", "complete", "a%2Fb@1")

        assert (refused.code, refused.out) == (4, "")
        assert "a%2Fb/s" in refused.err
        assert (done.code, done.out) == (0, "a%2Fb@8\n")
        assert (again.code, again.out) == (4, "")
        assert "completed" in again.err
        assert on_store("--json", "show", "a%2Fb@8").json["output"] == "all"

    def test_fail_when_recorded_then_its_id_is_printed(self, on_store: Cli, written: None) -> None:
        ended = on_store("--json", "fail", "a%2Fb@1", "--message", "no", "--error-type", "Sad")

        assert (ended.code, ended.json["type"]) == (0, "error_state")
        assert ended.json["error"]["type"] == "Sad"
        assert on_store("fail", "a%2Fb@1").code == 2

    @pytest.mark.parametrize(
        ("stdin", "says"), [("{", "is not JSON"), ("", "is not JSON"), ("\xff\xfe", "not JSON")]
    )
    def test_checkpoint_when_input_is_not_json_then_usage_error(
        self, on_store: Cli, stdin: str, says: str
    ) -> None:
        ended = on_store("checkpoint", "w", "--state", "-", stdin=stdin)

        assert (ended.code, ended.out) == (2, "")
        assert says in ended.err
        assert on_store("--json", "list").json == []

    @pytest.mark.parametrize(
        ("args", "stdin", "code", "says"),
        [
            (["--state", "-"], "[]", 2, "must be a JSON object"),
            (["--state", "-"], '{"a": NaN}', 1, "state.a: nan is not JSON"),
            (["--state", "nowhere.json"], None, 2, "nowhere.json: No such file"),
            (["--type", "progres"], None, 2, "progress"),
            (["--metadata", "team"], None, 2, "KEY=VALUE"),
            (["--agent", "a"], None, 2, "an agent needs a stage"),
            (["--parent", "v@1"], None, 2, "another workflow"),
            (["--parent", "w@9"], None, 3, "w@9 does not exist"),
            (["--max-retries", "-1"], None, 2, "max_retries"),
            (["--max-retries", "many"], None, 2, "not a valid integer"),
        ],
        ids=lambda each: " ".join(each) if isinstance(each, list) else "",
    )
    def test_checkpoint_when_asked_wrongly_then_said_and_nothing_written(
        self, on_store: Cli, args: list[str], stdin: str | None, code: int, says: str
    ) -> None:
        ended = on_store("checkpoint", "w", *args, stdin=stdin)

        assert (ended.code, ended.out) == (code, "")
        assert says in ended.err
        assert on_store("--json", "list").json == []


class TestCarryingOn:
    def test_start_when_it_returns_then_its_result_as_json_and_again_the_same(
        self, on_store: Cli, program: Program
    ) -> None:
        app = f"{program(CREW)}:app"
        args = ("--app", app, "start", "release", "r%2F1", "--input", "-")

        first = on_store(*args, stdin='["x", "y"]')
        again = on_store(*args, stdin='["x", "y"]')
        other = on_store(*args, stdin='["z"]')

        assert (first.code, first.json, first.err) == (0, {"parts": ["X", "Y"]}, "")
        assert (again.code, again.json) == (0, first.json)
        assert (other.code, other.out) == (4, "")
        assert '["x","y"]' in other.err
        assert len(on_store("--json", "attempts", "r%2F1").json) == 1

    def test_start_when_it_raises_then_one_line_and_recorded(
        self, on_store: Cli, program: Program
    ) -> None:
        app = f"{program(CREW)}:app"

        ended = on_store("--app", app, "start", "release", "r", "--input", "-", stdin='["bad"]')

        assert (ended.code, ended.out) == (1, "")
        assert ended.err == "holdfast: handler 'release' raised ValueError: no luck at all\n"
        assert on_store("--json", "workflows").json[0]["status"] == "failed"

    def test_start_when_somebody_has_it_then_refused_and_says_who(
        self, on_store: Cli, program: Program, open_sqlite: OpenEngine
    ) -> None:
        open_sqlite().run("r", handler="release")

        ended = on_store("--app", f"{program(CREW)}:app", "start", "release", "r")

        assert (ended.code, ended.out) == (4, "")
        assert f"process {os.getpid()}" in ended.err
        assert "epoch 1" in ended.err
        assert "take it over with `holdfast recover --force`" in ended.err

    def test_start_when_name_is_unknown_then_not_found_and_lists_what_is_known(
        self, on_store: Cli, program: Program
    ) -> None:
        ended = on_store("--app", f"{program(CREW)}:app", "start", "relase", "r")

        assert (ended.code, ended.out) == (3, "")
        assert "release" in ended.err

    def test_recover_when_it_returns_then_says_so_and_what_was_left_open(
        self, on_store: Cli, program: Program, written: None
    ) -> None:
        app = f"{program(CREW)}:app"

        plain = on_store("--app", app, "recover", "a%2Fb")

        assert plain.code == 0
        assert plain.json == {"n": 1}
        assert "a%2Fb: attempt 1 completed" in plain.err
        assert {"not closed, now killed: a%2Fb/s", "not closed, now killed: a%2Fb/late"} <= set(
            plain.err.splitlines()
        )

    def test_recover_when_as_json_then_the_attributes_of_the_result(
        self, on_store: Cli, program: Program, written: None
    ) -> None:
        app = f"{program(CREW)}:app"

        ended = on_store("--app", app, "--json", "recover", "a%2Fb@1")

        assert ended.code == 0
        assert {"success", "checkpoint", "workflow_id", "output", "error", "attempt"} <= set(
            ended.json
        )
        assert {"abandoned", "fell_back_from", "reasons", "duration_s"} <= set(ended.json)
        assert (ended.json["success"], ended.json["output"]) == (True, {"n": 1})
        assert "a%2Fb/s/y" in ended.json["abandoned"]
        assert on_store("--app", app, "--json", "recover", "a%2Fb").code == 4

    def test_recover_when_it_raises_then_failed_with_one_line(
        self, on_store: Cli, program: Program
    ) -> None:
        app = f"{program(CREW)}:app"
        on_store("checkpoint", "r", "--type", "workflow_start", "--input", "-", stdin='["bad"]')

        plain = on_store("--app", app, "recover", "r", "--handler", "release")
        as_json = on_store(
            "--app", app, "recover", "r", "--handler", "release", "--force", "--json"
        )

        assert (plain.code, plain.out, len(plain.err.splitlines())) == (1, "", 1)
        assert "ValueError: no luck at all" in plain.err
        assert as_json.code == 1
        assert (as_json.json["success"], as_json.json["attempt"]) == (False, 2)
        assert as_json.json["error"]["message"] == "no luck\nat all"

    def test_recover_when_it_raises_and_verbose_then_the_handlers_traceback(
        self, on_store: Cli, program: Program
    ) -> None:
        app = f"{program(CREW)}:app"
        on_store("checkpoint", "r", "--type", "workflow_start", "--input", "-", stdin='["bad"]')

        ended = on_store("-v", "--app", app, "recover", "r", "--handler", "release")

        assert ended.code == 1
        assert "\nTraceback (most recent call last):" in ended.err
        assert "in release\n    raise ValueError" in ended.err
        assert "attempt 1 failed" in ended.err.splitlines()[-1]

    def test_recover_when_retries_are_used_up_then_dry_run_says_and_real_one_said_it_kills(
        self, on_store: Cli, program: Program, store: Path
    ) -> None:
        app = f"{program(CREW)}:app"
        _die_without_retries(store)

        planned = on_store("--app", app, "recover", "w", "--dry-run")
        as_json = on_store("--app", app, "recover", "w", "--dry-run", "--json")
        stale = on_store("--app", app, "stale")
        unknown = on_store("recover", "w")
        real = on_store("--app", app, "recover", "w")
        again = on_store("--app", app, "recover", "w")

        assert (planned.code, as_json.json["would_kill"]) == (4, True)
        assert planned.out.startswith("would kill w: its retries are used up")
        assert planned.out.count("its retries are used up") == 1
        for shown in (planned.out, stale.out):
            assert "a recovery closes it as killed, with --force it runs once more" in shown
        assert "with --force it runs once more; its handler 'release' is not" in unknown.err
        assert real.code == 4
        assert real.err.startswith("holdfast: w was closed as killed: its retries are used up")
        assert "open it anew with `holdfast retry`" in real.err
        assert "w cannot be recovered now: w was killed at" in again.err
        assert "parent=" not in real.err + again.err

    def test_workflows_when_retries_are_used_up_then_shown_as_such(
        self, on_store: Cli, store: Path
    ) -> None:
        with (
            holdfast.open(store) as engine,
            pytest.raises(ValueError, match="no luck"),
            engine.run("w", handler="release", max_retries=0),
        ):
            raise ValueError("no luck")

        assert "0 of 0 (used up)" in on_store("workflows").out

    def test_recover_when_it_takes_too_long_then_failed(
        self, on_store: Cli, program: Program
    ) -> None:
        name = program(
            """
            import threading, holdfast
            app, let_go = holdfast.Registry(), threading.Event()
            app.handler("h")(lambda run: let_go.wait(10))
            """
        )
        on_store("checkpoint", "w", "--handler", "h")

        ended = on_store("--app", f"{name}:app", "recover", "w", "--timeout", "0.02")
        sys.modules[name].let_go.set()

        assert ended.code == 1
        assert "timed out after 0.02 s" in ended.err

    def test_recover_when_dry_then_says_what_would_happen_and_changes_nothing(
        self, on_store: Cli, program: Program, written: None
    ) -> None:
        app = f"{program(CREW)}:app"
        before = on_store("--json", "events").out

        shown = on_store("--app", app, "recover", "a%2Fb", "--dry-run")
        ended = on_store("--app", app, "--json", "recover", "a%2Fb/s@2", "--dry-run")
        refused = on_store("recover", "rec", "--dry-run")

        assert (shown.code, ended.code) == (0, 0)
        assert all(part in shown.out for part in ("a%2Fb", "h", "active", "a%2Fb/s/y", "nothing"))
        assert shown.out.startswith("would resume a%2Fb with handler 'h'\n")
        assert (ended.json["handler"], ended.json["obstacles"]) == ("h", [])
        assert (ended.json["target"], ended.json["target_scope"]) == ("a%2Fb/s@2", "a%2Fb/s")
        assert ended.json["open_scopes"] == ["a%2Fb", "a%2Fb/s", "a%2Fb/s/y"]
        assert (ended.json["would_kill"], "replay" in ended.json) == (False, False)
        assert refused.code == 4
        assert refused.out.startswith("would not resume rec: no handler is named for it; name one")
        assert "--handler" in refused.out
        assert "handler=" not in refused.out
        assert on_store("--json", "events").out == before

    @pytest.mark.parametrize(
        ("args", "code", "says"),
        [
            (["recover", "nowhere"], 3, "nowhere does not exist"),
            (["recover", "a%2Fb@99"], 3, "a%2Fb@99"),
            (["recover", "rec"], 4, "--handler"),
            (["recover", "a%2Fb", "--handler", "gone"], 4, "known: h, release"),
            (["recover", "a%2Fb/nowhere"], 3, "does not exist"),
        ],
        ids=lambda each: " ".join(each) if isinstance(each, list) else "",
    )
    def test_recover_when_nothing_is_run_then_says_why(
        self,
        on_store: Cli,
        program: Program,
        written: None,
        args: list[str],
        code: int,
        says: str,
    ) -> None:
        ended = on_store("--app", f"{program(CREW)}:app", *args)

        assert (ended.code, ended.out) == (code, "")
        assert says in ended.err

    def test_recover_when_damaged_then_falls_back_loudly_or_fails_when_strict(
        self, on_store: Cli, program: Program, store: Path, written: None
    ) -> None:
        app = f"{program(CREW)}:app"
        _flip(store, "a/b", 7)

        strict = on_store("--app", app, "recover", "a%2Fb", "--strict")
        done = on_store("--app", app, "recover", "a%2Fb")

        assert (strict.code, strict.out) == (5, "")
        assert "a%2Fb@7 is damaged" in strict.err
        assert done.code == 0
        assert "fell back from a%2Fb@7" in done.err


class TestPrograms:
    @pytest.mark.parametrize("attribute", ["app", "make", "Namespace.inner"])
    def test_app_when_it_names_a_registry_or_what_gives_one_then_used(
        self, on_store: Cli, program: Program, attribute: str
    ) -> None:
        ended = on_store("--app", f"{program(CREW)}:{attribute}", "start", "release", "r")

        assert (ended.code, ended.json) == (0, {"parts": ["A"]})

    @pytest.mark.parametrize("attribute", ["engine", "make_engine"])
    def test_app_when_it_names_an_engine_then_its_store_is_used(
        self, cli: Cli, program: Program, store: Path, attribute: str
    ) -> None:
        name = program(
            CREW
            + f"""
engine = holdfast.open({str(store)!r}, registry=app)

def make_engine():
    return engine
"""
        )
        app = f"{name}:{attribute}"

        assert cli("--app", app, "start", "release", "r").json == {"parts": ["A"]}
        assert cli("--app", app, "--store", store.name, "--json", "workflows").code == 0
        other = cli("--app", app, "--store", "other.db", "workflows")
        assert (other.code, other.out) == (2, "")
        assert all(part in other.err for part in (str(store), "other.db"))

    @pytest.mark.parametrize(
        ("app", "says"),
        [
            ("nowhere:app", "no module 'nowhere'"),
            ("CREW:nowhere", "nowhere"),
            ("CREW:number", "int"),
            ("CREW:release", "cannot be called without arguments (missing a required argument"),
            ("CREW", "MODULE:ATTRIBUTE"),
            (":app", "MODULE:ATTRIBUTE"),
        ],
    )
    def test_app_when_it_names_none_then_usage_error(
        self, on_store: Cli, program: Program, app: str, says: str
    ) -> None:
        ended = on_store("--app", app.replace("CREW", program(CREW)), "start", "release", "r")

        assert (ended.code, ended.out) == (2, "")
        assert says in ended.err

    def test_app_when_it_imports_what_is_missing_then_that_is_named_and_not_the_program(
        self, on_store: Cli, program: Program
    ) -> None:
        ended = on_store("--app", f"{program('import not_there_at_all')}:app", "start", "w", "x")

        assert (ended.code, ended.out) == (1, "")
        assert "not_there_at_all" in ended.err

    def test_start_when_no_app_is_named_then_usage_error(self, on_store: Cli) -> None:
        ended = on_store("start", "release", "r")

        assert (ended.code, ended.out) == (2, "")
        assert "--app" in ended.err


class TestEnding:
    @pytest.mark.parametrize(
        ("args", "code", "says"),
        [
            (["show", "wrong@"], 2, "workflow@1"),
            (["show", "wrong"], 3, "workflow wrong does not exist"),
            (["show", "a%2Fb/t"], 3, "did you mean a%2Fb/s or"),
            (["show", "a/b/c/d"], 2, "inside a name / @ % are written %2F %40 %25"),
            (["list", "a%2Fc"], 3, "did you mean a%2Fb?"),
            (["events", "a%2Fc"], 3, "did you mean a%2Fb?"),
            (["stale", "--threshold", "-1"], 2, "--threshold is -1"),
            (["stale", "--threshold", "nan"], 2, "--threshold is nan"),
            (["latest", "a/b"], 2, "name a workflow"),
            (["show", "w@1"], 3, "workflow w does not exist"),
            (["tree", "a%2Fc"], 3, "did you mean a%2Fb?"),
            (["show", "a%2Fb@99"], 3, "a%2Fb@99 does not exist"),
            (["complete", "a%2Fb@1"], 4, "or pass --abandon to close them as killed"),
            (["list", "--limit", "-1"], 2, "limit"),
        ],
        ids=lambda each: " ".join(each) if isinstance(each, list) else "",
    )
    def test_command_when_it_cannot_be_done_then_one_clear_line_and_its_code(
        self, on_store: Cli, written: None, args: list[str], code: int, says: str
    ) -> None:
        plain = on_store(*args)
        as_json = on_store("--json", *args)

        assert (plain.code, plain.out) == (as_json.code, as_json.out) == (code, "")
        assert says in plain.err
        assert plain.err == as_json.err
        assert "Traceback" not in plain.err
        if plain.err.startswith("holdfast: "):
            assert len(plain.err.splitlines()) == 1

    def test_command_when_verbose_then_a_traceback_and_the_line(
        self, on_store: Cli, written: None
    ) -> None:
        before = on_store("-v", "show", "w@1")
        after = on_store("show", "w@1", "-v")

        for ended in (before, after):
            assert (ended.code, ended.out) == (3, "")
            assert ended.err.startswith("Traceback")
            assert ended.err.splitlines()[-1].startswith("holdfast: workflow w does not exist")

    def test_command_when_the_store_is_missing_a_folder_or_something_else_then_5_and_untouched(
        self, cli: Cli, tmp_path: Path
    ) -> None:
        text, other = tmp_path / "notes.txt", tmp_path / "other.db"
        text.write_text("not a database, and long enough to be taken for one " * 40)
        with closing(connect(other)) as connection, connection:
            connection.execute("CREATE TABLE t (n)")
        before = other.read_bytes()

        for path, says in (
            (tmp_path / "none.db", "no store at"),
            (tmp_path, "is a folder"),
            (text, "not a database"),
            (other, "another program"),
        ):
            for command in ("workflows", "init"):
                if (path.name, command) == ("none.db", "init"):
                    continue
                ended = cli("--store", str(path), command)
                assert (ended.code, ended.out) == (5, "")
                assert says in ended.err

        assert not (tmp_path / "none.db").exists()
        assert text.read_text().startswith("not a database")
        assert other.read_bytes() == before

    def test_show_when_damaged_then_5_and_says_what(
        self, on_store: Cli, store: Path, written: None
    ) -> None:
        _flip(store, "rec", 1)

        ended = on_store("show", "rec@1")

        assert (ended.code, ended.out) == (5, "")
        assert "rec@1 is damaged" in ended.err

    def test_command_when_no_store_is_named_then_usage_error_says_how(self, cli: Cli) -> None:
        ended = cli("workflows")

        assert (ended.code, ended.out) == (2, "")
        assert "--store" in ended.err
        assert "HOLDFAST_STORE" in ended.err

    def test_command_when_the_environment_names_store_and_app_then_used(
        self, cli: Cli, program: Program, store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOLDFAST_STORE", str(store))
        monkeypatch.setenv("HOLDFAST_APP", f"{program(CREW)}:app")

        assert cli("start", "release", "r").json == {"parts": ["A"]}
        assert cli("--store", "none.db", "workflows").code == 5

    def test_command_when_global_options_come_last_then_taken_all_the_same(
        self, cli: Cli, store: Path, written: None
    ) -> None:
        assert cli("workflows", "--store", str(store), "--json").json[0]["workflow_id"] == "rec"

    @pytest.mark.parametrize(
        ("typo", "meant"), [("recovr", "recover"), ("workflow", "workflows"), ("eventz", "events")]
    )
    def test_command_when_mistyped_then_the_nearest_is_named(
        self, on_store: Cli, typo: str, meant: str
    ) -> None:
        ended = on_store(typo)

        assert (ended.code, ended.out) == (2, "")
        assert f"Did you mean {meant}" in ended.err

    def test_option_when_mistyped_then_the_nearest_is_named(self, on_store: Cli) -> None:
        ended = on_store("list", "--limt", "3")

        assert ended.code == 2
        assert "--limit" in ended.err


class TestHelp:
    def test_help_when_asked_then_every_command_with_its_line(self, cli: Cli) -> None:
        ended = cli("--help")

        assert (ended.code, ended.err) == (0, "")
        assert "Exit codes" in ended.out
        assert "HOLDFAST_STORE and HOLDFAST_APP" in " ".join(ended.out.split())
        for name, (_, line) in COMMANDS.items():
            assert name in ended.out
            assert line in ended.out

    @pytest.mark.parametrize("name", COMMANDS)
    def test_help_when_asked_of_a_command_then_shown(self, cli: Cli, name: str) -> None:
        ended = cli(name, "--help")

        assert (ended.code, ended.err) == (0, "")
        assert ended.out.startswith(f"Usage: holdfast {name}")

    @pytest.mark.parametrize("name", COMMANDS)
    def test_help_when_listed_then_the_first_line_of_the_commands_own(self, name: str) -> None:
        command = group.get_command(click.Context(group), name)

        assert command is not None
        assert (command.help or "").splitlines()[0] == COMMANDS[name][1]

    def test_version_when_asked_then_that_of_the_package(self, cli: Cli) -> None:
        assert cli("--version").out == f"holdfast, version {holdfast.__version__}\n"


class TestProcess:
    def test_module_when_run_then_the_command_line(self, store: Path, written: None) -> None:
        ended = perform("--store", str(store), "--json", "workflows")
        typo = perform("recovr")

        assert (ended.returncode, ended.stderr) == (0, "")
        assert [each["workflow_id"] for each in json.loads(ended.stdout)] == ["rec", "a/b"]
        assert (typo.returncode, typo.stdout) == (2, "")

    def test_checkpoint_when_state_comes_through_a_pipe_then_read(self, store: Path) -> None:
        ended = perform("--store", str(store), "checkpoint", "w", "--state", "-", stdin='{"é": 1}')
        shown = perform("--store", str(store), "--json", "latest", "w")

        assert ended.stdout == "w@1\n"
        assert json.loads(shown.stdout)["state"] == {"é": 1}

    @pytest.mark.parametrize("as_json", [True, False])
    def test_events_when_nobody_reads_on_then_ends_without_a_word(
        self, store: Path, as_json: bool
    ) -> None:
        with holdfast.open(store, durability="process") as engine:
            for n in range(300):
                engine.checkpoint("w", name=f"number {n}")
        reader, writer = os.pipe()
        os.close(reader)
        try:
            options = ["--json"] if as_json else []
            ended = subprocess.run(
                [sys.executable, "-m", "holdfast", "--store", str(store), *options, "events"],
                stdout=writer,
                stderr=subprocess.PIPE,
                text=True,
                timeout=60,
                check=False,
            )
        finally:
            os.close(writer)

        assert ended.stderr == ""
        assert ended.returncode == 1

    def test_events_when_in_a_pipe_then_plain_and_nothing_cut_off(self, store: Path) -> None:
        name = "x" * 60
        with holdfast.open(store) as engine:
            engine.checkpoint(name, stage_id=name)

        ended = perform("--store", str(store), "list")

        assert "\x1b" not in ended.stdout
        assert f"{name}/{name}@1" in ended.stdout


WAITING = """
import asyncio, os, signal, sys, time
import holdfast

app = holdfast.Registry()

def wait(*_):
    print("waiting", flush=True)
    time.sleep(60)

async def wait_async():
    print("waiting", flush=True)
    await asyncio.sleep(60)

@app.workflow("plain")
def plain(run):
    run.step("done", int)
    run.step("open", wait)

@app.workflow("async")
async def asynchronous(run):
    await run.step("done", int)
    await run.step("open", wait_async)

@app.workflow("map")
def side_by_side(run):
    run.step("done", int)
    with run.stage("s", kind="parallel") as stage:
        stage.map(wait, [1], workers=1)

@app.workflow("thread")
async def in_a_thread(run):
    await run.step("done", int)
    await run.step("open", wait)
"""


class TestSignals:
    @pytest.mark.parametrize(
        ("number", "workflow"),
        [
            (signal.SIGTERM, "plain"),
            (signal.SIGTERM, "async"),
            (signal.SIGTERM, "map"),
            (signal.SIGTERM, "thread"),
            (signal.SIGINT, "plain"),
            (signal.SIGINT, "async"),
        ],
    )
    def test_start_when_ended_by_a_signal_then_lease_is_given_up_and_it_is_recoverable_at_once(
        self, store: Path, program: Program, workflow: str, number: signal.Signals
    ) -> None:
        code, err = ended_by(number, store, f"{program(WAITING)}:app", workflow)

        assert code == 128 + number
        assert "interrupted" in err
        assert "Traceback" not in err
        with holdfast.open(store) as engine:
            (attempt,) = engine.attempts("w")
            assert attempt.outcome is holdfast.Outcome.GIVEN_UP
            (found,) = engine.stale()
            assert "given up" in found.because.value
            engine.workflow(workflow)(lambda run: run.step("done", int))
            assert engine.recover("w").output == 0
            assert engine.get("w@1").retry_count == 0

    def test_start_when_in_the_background_of_a_script_then_sigterm_ends_it_all_the_same(
        self, store: Path, program: Program
    ) -> None:
        # What a shell starts with & in a script ignores SIGINT from the beginning.
        code, _ = ended_by(
            signal.SIGTERM, store, f"{program(WAITING)}:app", "plain", without_sigint=True
        )

        assert code == 128 + signal.SIGTERM
        with holdfast.open(store) as engine:
            assert engine.attempts("w")[0].outcome is holdfast.Outcome.GIVEN_UP


def ended_by(
    number: signal.Signals, store: Path, app: str, workflow: str, *, without_sigint: bool = False
) -> tuple[int, str]:
    """Start a workflow in a process of its own, end it by a signal when it waits."""
    # Said either way: the tests themselves may run in the background of a script.
    how = "SIG_IGN" if without_sigint else "default_int_handler"
    handle = f"import signal; signal.signal(signal.SIGINT, signal.{how});"
    process = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            f"{handle}from holdfast.interface.cli.main import main; main()",
            *("--store", str(store), "--app", app, "start", workflow, "w"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=3)
    except subprocess.TimeoutExpired:
        pytest.fail(f"it did not end within 3 seconds of {number.name}")
    finally:
        process.kill()
        process.communicate()
    return process.returncode, err


def perform(*args: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "holdfast", *args],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _flip(store: Path, workflow: str, sequence: int) -> None:
    """Change one bit in the payload of a checkpoint; no engine may have the store open."""
    with closing(connect(store)) as connection, connection:
        query = (
            "SELECT number, body FROM checkpoints WHERE sequence = ? AND workflow = "
            "(SELECT id FROM workflows WHERE workflow_id = ?)"
        )
        number, found = connection.execute(query, (sequence, workflow)).fetchone()
        body = bytearray(found)
        body[max(n for n, byte in enumerate(body) if chr(byte).isdigit())] ^= 1
        connection.execute("UPDATE checkpoints SET body = ? WHERE number = ?", (body, number))


def _die_without_retries(store: Path) -> None:
    """Leave a workflow behind as a process does that dies in its only execution."""
    text = f"""
import os, holdfast
engine = holdfast.open({str(store)!r})
engine.run("w", handler="release", max_retries=0)
os._exit(1)
"""
    assert subprocess.run([sys.executable, "-c", text]).returncode == 1


def _make_store_of_schema_1(path: Path) -> None:
    with closing(connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        run_revisions(connection, to="0001")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("COMMIT")
