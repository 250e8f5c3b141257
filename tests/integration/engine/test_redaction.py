"""What the embedding program takes out of metadata and errors: it is never stored."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import holdfast
import pytest
from holdfast.domain.json_value import JsonValue

HIDDEN = "sk-7c1f"


def redact(place: str, value: JsonValue) -> JsonValue:
    """Take secrets out of texts, and whatever is called a password."""
    if place == "metadata.password":
        return None
    return value.replace(HIDDEN, "***") if isinstance(value, str) else value


def _fail(run: holdfast.Run) -> Any:
    def call() -> None:
        raise ValueError(f"401 with {HIDDEN}")

    with run.stage("s") as stage:
        stage.step("call", call)


def _registry(**options: Any) -> holdfast.Registry:
    app = holdfast.Registry(**options)
    app.workflow("w", max_retries=0)(_fail)
    return app


def _assert_nowhere(folder: Path) -> None:
    """Look at the bytes of the store itself, the -wal included."""
    files = [each for each in folder.iterdir() if each.name.startswith("store.db")]
    assert files
    assert not [each for each in files if HIDDEN.encode() in each.read_bytes()]


@pytest.mark.parametrize("where", ["open", "registry"])
def test_error_when_redacted_then_neither_attempt_nor_event_nor_checkpoint_has_it(
    tmp_path: Path, where: str
) -> None:
    app = _registry(redact=redact) if where == "registry" else _registry()
    given = redact if where == "open" else None
    settings = {"back_off_base": 0.0}

    with holdfast.open(
        tmp_path / "store.db", registry=app, redact=given, settings=settings
    ) as engine:
        with pytest.raises(ValueError, match=HIDDEN):
            engine.start("w", workflow_id="w")
        with pytest.raises(holdfast.NotRecoverable):
            engine.recover("w")
        error = engine.attempts("w")[0].error
        assert error is not None
        assert error.message == "401 with ***"
        assert "***" in error.traceback
        assert [each for each in engine.events() if "***" in str(each.detail)]
    _assert_nowhere(tmp_path)


def test_metadata_when_redacted_then_what_the_hook_returned_is_kept(tmp_path: Path) -> None:
    metadata: dict[str, JsonValue] = {"password": [1, 2], "note": f"used {HIDDEN}", "n": 3}

    with holdfast.open(tmp_path / "store.db", redact=redact) as engine:
        engine.checkpoint("w", metadata=metadata)
        with engine.run("r", metadata=metadata):
            pass

        for name in ("w@1", "r@1"):
            kept = engine.get(name).metadata
            assert kept == {"password": None, "note": "used ***", "n": 3}
        assert metadata["password"] == [1, 2]
    _assert_nowhere(tmp_path)


def test_error_when_the_hook_fails_then_recorded_without_the_text() -> None:
    def broken(place: str, value: JsonValue) -> JsonValue:
        if place == "error.message":
            raise KeyError(place)
        return 3

    with holdfast.open("memory:", redact=broken) as engine:
        engine.checkpoint("w", type="workflow_start", resume_handler="h")
        engine.fail("w@1", ValueError(HIDDEN))
        error = engine.latest("w").error

    assert error is not None
    assert error.type == "ValueError"
    assert error.message == "(left out: redact raised KeyError)"
    assert HIDDEN not in str(error)


@pytest.mark.parametrize("kind", ["raises", "returns what is not JSON"])
def test_metadata_when_the_hook_fails_then_the_caller_is_told_and_nothing_is_written(
    kind: str,
) -> None:
    def broken(place: str, value: JsonValue) -> Any:
        if kind == "raises":
            raise KeyError(place)
        return {1, 2}

    with holdfast.open("memory:", redact=broken) as engine:
        with pytest.raises((KeyError, holdfast.StateNotSerializable), match=r"metadata"):
            engine.checkpoint("w", metadata={"a": 1})

        assert engine.workflows() == []


def test_tasks_when_the_hook_refuses_one_of_a_batch_then_the_others_are_written(
    tmp_path: Path,
) -> None:
    def picky(place: str, value: JsonValue) -> JsonValue:
        if value == "bad":
            raise KeyError(place)
        return "good"

    async def main() -> list[Any]:
        async with holdfast.open_async(tmp_path / "store.db", redact=picky) as engine:
            saves = [
                engine.checkpoint(f"w{n}", metadata={"a": "bad" if n == 3 else "?"})
                for n in range(8)
            ]
            return list(await asyncio.gather(*saves, return_exceptions=True))

    outcomes = asyncio.run(main())

    assert [isinstance(each, KeyError) for each in outcomes] == [n == 3 for n in range(8)]
    assert [each.metadata for n, each in enumerate(outcomes) if n != 3] == [{"a": "good"}] * 7


CREW = f"""
import holdfast

app = holdfast.Registry(redact=lambda place, value: value.replace({HIDDEN!r}, "***"))

@app.handler("h")
def handle(run):
    def step():
        raise KeyError("inner " + run.state["key"])
    try:
        run.step("inner", step)
    except KeyError:
        pass
    raise ValueError("401 with " + run.state["key"])
"""


def test_command_line_when_the_registry_redacts_then_what_it_stores_is_redacted(
    tmp_path: Path,
) -> None:
    (tmp_path / "a_crew.py").write_text(CREW)
    with holdfast.open(tmp_path / "store.db") as engine:
        engine.checkpoint("w", state={"key": HIDDEN}, resume_handler="h")
    command = [sys.executable, "-m", "holdfast", "--store", "store.db", "--app", "a_crew:app"]

    done = subprocess.run([*command, "recover", "w"], cwd=tmp_path, env={**os.environ})

    assert done.returncode == 1
    with holdfast.open(tmp_path / "store.db") as engine:
        error = engine.attempts("w")[0].error
        inner = next(each for each in engine.list("w") if each.id.stage_id == "inner").error
    assert error is not None
    assert error.message == "401 with ***"
    assert inner is not None
    assert inner.message == "'inner ***'"


EMBEDDED = f"""
import holdfast

app = holdfast.Registry()

def redact(place, value):
    return value.replace({HIDDEN!r}, "***")

def step():
    raise KeyError("inner {HIDDEN}")

@app.handler("h", isolation="process")
def handle(run):
    print("{HIDDEN}", flush=True)
    run.step("inner", step)

if __name__ == "__main__":
    hook = HOOK  # what is printed is kept as well
    with holdfast.open("store.db", registry=app, redact=hook) as engine:
        engine.checkpoint("w", resume_handler="h")
        print(engine.recover("w").error.message)
"""


@pytest.mark.parametrize(
    ("hook", "said"),
    [("redact", "inner"), ("lambda place, value: '***'", "none that can be imported")],
)
def test_process_of_its_own_when_the_program_redacts_then_it_does_too_or_does_not_run(
    tmp_path: Path, hook: str, said: str
) -> None:
    (tmp_path / "program.py").write_text(EMBEDDED.replace("HOOK", hook))

    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert said in done.stdout.replace(f"{HIDDEN}\n", "", 1)
    _assert_nowhere(tmp_path)
