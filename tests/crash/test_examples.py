"""What people will copy, really killed: the examples, and the programs of README and tutorial."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import holdfast
import pytest
from holdfast.infrastructure.clock import ManualClock

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
Done: TypeAlias = "subprocess.CompletedProcess[str]"


class Bench:
    """A folder in which programs are started, killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *command: object, **environment: str) -> Done:
        return subprocess.run(
            self._words(command),
            cwd=self.folder,
            env=self._environment(environment),
            capture_output=True,
            text=True,
            timeout=120,
        )

    def kill(
        self, *command: object, after: int, of: str = "", told_on: str = "stderr", **more: str
    ) -> list[str]:
        """Start a program, kill it after so many lines with a text in them; return all lines."""
        with subprocess.Popen(
            self._words(command),
            cwd=self.folder,
            env=self._environment(more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            stream = process.stdout if told_on == "stdout" else process.stderr
            assert stream is not None
            told: list[str] = []
            while sum(of in line for line in told) < after:
                told.append(stream.readline())
                assert told[-1], f"it ended of itself, after {told}"
            process.send_signal(signal.SIGKILL)
            told += stream.readlines()  # what it said between the last look and the kill
        assert process.returncode == -signal.SIGKILL, told
        return told

    def finished(self, store: str, workflow: str) -> set[str]:
        with holdfast.open(self.folder / store, create=False) as engine:
            return set(engine.context(workflow).outputs)

    def outcomes(self, store: str, workflow: str) -> list[str]:
        with holdfast.open(self.folder / store, create=False) as engine:
            return [str(each.outcome) for each in engine.attempts(workflow)]

    @staticmethod
    def _words(command: tuple[object, ...]) -> list[str]:
        first, *rest = map(str, command)
        return [sys.executable if first == "python" else first, *rest]

    @staticmethod
    def _environment(more: dict[str, str]) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("HOLDFAST_")}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**kept, "PATH": path, "PYTHONPATH": str(EXAMPLES), **more}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_pipeline_when_killed_then_recover_analyses_only_what_was_not_saved(
    bench: Bench, tmp_path: Path
) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    for number in range(8):
        (texts / f"m{number}.py").write_text("one line\n" * number)
    program = ("python", EXAMPLES / "release_notes.py", texts)

    bench.kill(*program, after=6, PAUSE="0.2")
    saved = {key for key in bench.finished("release-notes.db", "notes") if "/" in key}
    recovered = bench.run(
        *("holdfast", "--store", "release-notes.db", "--app", "release_notes:app"),
        *("recover", "notes"),
    )

    assert 2 <= len(saved) < 8
    assert recovered.returncode == 0, recovered.stderr
    analysed = {f"analyse/{name}" for name in re.findall(r"analysing (\w+?\.py)", recovered.stderr)}
    assert analysed == {f"analyse/m{number}.py" for number in range(8)} - saved
    result = {"files": 8, "lines": 28, "report": "release-notes.txt"}
    assert json.loads(recovered.stdout) == result
    assert (tmp_path / "release-notes.txt").read_text().splitlines()[7] == "     7 m7.py"
    again = bench.run(*program)
    assert (ast.literal_eval(again.stdout), again.stderr) == (result, "")
    assert bench.outcomes("release-notes.db", "notes") == ["died", "completed"]


def test_crew_when_killed_among_its_agents_and_its_drafts_then_no_answer_is_asked_for_twice(
    bench: Bench, tmp_path: Path
) -> None:
    program = ("python", EXAMPLES / "crew.py")
    undisturbed = Bench(tmp_path / "undisturbed")
    undisturbed.folder.mkdir()
    expected = undisturbed.run(*program).stdout

    bench.kill(*program, after=5, PAUSE="0.2")
    answered = bench.finished("crew.db", "crew-1")
    second = bench.kill(*program, after=1, of="a page on", PAUSE="0.2")
    third = bench.run(*program)

    assert 1 <= len(answered) < 6
    topics = {key.removeprefix("research/") for key in answered}
    assert not topics & set(re.findall(r"what holds (\w+)\?", "".join(second)))
    assert "what holds" not in third.stderr
    assert third.stdout == expected != ""
    assert bench.outcomes("crew.db", "crew-1") == ["died", "died", "completed"]
    with holdfast.open(tmp_path / "crew.db") as engine:
        assert engine.context("crew-1").workflow_state == {"notes": 6, "drafts": 2}


def test_approval_when_killed_asked_and_answered_then_the_supervisor_carries_it_on(
    bench: Bench, tmp_path: Path
) -> None:
    program = ("python", EXAMPLES / "approval.py", "start", "r-42")
    store = ("holdfast", "--store", "approval.db")

    assert bench.kill(*program, after=1, PAUSE="30") == ["writing about kelp\n"]
    asked = bench.run(*program)
    again = bench.run(*program)
    answered = bench.run(*store, "answer", "r-42", "approval", '"yes"')
    supervised = bench.run(*store, "--app", "approval:app", "supervise", "--once")
    done = bench.run(*program)

    assert asked.stdout == again.stdout == "All about kelp. Good enough? (approval)\n"
    assert (asked.stderr, again.stderr) == ("writing about kelp\n", "")  # the draft is kept
    assert (answered.returncode, supervised.returncode) == (0, 0), supervised.stderr
    assert done.stdout == "{'published': 'published.txt'}\n"
    assert (tmp_path / "published.txt").read_text() == "All about kelp."


def test_approval_when_nobody_answers_for_a_week_then_it_goes_on_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    approval = importlib.import_module("approval")

    clock = ManualClock()
    with holdfast.open(tmp_path / "a.db", registry=approval.app, clock=clock) as engine:
        with pytest.raises(holdfast.Waiting):
            engine.start("review", workflow_id="r-1", input={"topic": "kelp"})
        clock.advance(timedelta(days=6, hours=23).total_seconds())
        assert engine.stale() == []
        clock.advance(timedelta(hours=2).total_seconds())
        assert [each.workflow_id for each in engine.stale()] == ["r-1"]
        result = engine.recover("r-1")

    assert result.output == {"published": None, "because": "nobody looked at it within a week"}


def test_shell_when_its_handler_is_a_command_then_the_supervisor_carries_it_on(
    bench: Bench, tmp_path: Path
) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    for number in range(3):
        (texts / f"{number}.txt").write_text("word " * (number + 1))
    script = str(EXAMPLES / "word_counts.sh")
    (tmp_path / "holdfast.toml").write_text(
        'store = "jobs.db"\n[handlers.word-counts]\n'
        f'command = ["sh", "{script}", "texts"]\ntimeout = "1h"\n'
    )
    command = ("run", "counts", "--handler", "word-counts", "--", "sh", script, "texts")

    bench.kill("holdfast", *command, after=2, PAUSE="0.2")
    supervised = bench.run("holdfast", "supervise", "--once")

    assert supervised.returncode == 0, supervised.stderr
    assert bench.outcomes("jobs.db", "counts") == ["died", "completed"]
    with holdfast.open(tmp_path / "jobs.db") as engine:
        assert engine.context("counts").outputs["report"]["stdout"] == "6 words\n"


@pytest.mark.parametrize(
    ("page", "workflow", "verb"),
    [("README.md", "n-1", "counting"), ("docs/tutorial.md", "s-1", "surveying")],
)
def test_program_of_a_page_when_killed_then_it_is_carried_on_as_the_page_says(
    bench: Bench, tmp_path: Path, page: str, workflow: str, verb: str
) -> None:
    text = (ROOT / page).read_text()
    name, program = re.findall(r"(?ms)^```python run\n# (\w+)\.py\n(.*?)^```", text)[0]
    (tmp_path / f"{name}.py").write_text(program)
    store = ("holdfast", "--store", f"{name}.db")
    app = ("--app", f"{name}:app")

    first = bench.kill("python", f"{name}.py", after=4, told_on="stdout", SECONDS_EACH="0.3")
    stale = bench.run(*store, "stale")
    saved = bench.finished(f"{name}.db", workflow)
    told = bench.run(*store, *app, "recover", workflow, "--dry-run")
    recovered = bench.run(*store, *app, "recover", workflow, SECONDS_EACH="0")
    again = bench.run("python", f"{name}.py")

    assert workflow in stale.stdout
    assert "its owner is gone" in stale.stdout
    assert told.stdout.startswith(f"would resume {workflow}")
    assert recovered.returncode == 0, recovered.stderr
    worked = Counter(re.findall(rf"{verb} (\w+?\.py)", "".join(first) + recovered.stdout))
    assert set(worked.values()) <= {1, 2}
    twice = {each for each, times in worked.items() if times == 2}
    assert len(twice) <= 2  # the workers that were at it
    assert not {each for each in twice if any(key.endswith(f"/{each}") for key in saved)}
    result = ast.literal_eval(again.stdout)  # one line: nothing was done again
    assert result["files"] == len(worked)
    assert bench.outcomes(f"{name}.db", workflow) == ["died", "completed"]
