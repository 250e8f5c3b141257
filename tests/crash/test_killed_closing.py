"""A process that is killed at a system call of closing a scope: it is open, or closed, whole."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import holdfast
import pytest
from holdfast.domain.json_value import canonical

from .conftest import PROGRAMS, target_in

# What changes files. Without `write`, which SQLite does not use, and printing does.
_CALLS = {
    "sqlite": "pwrite64,fsync,fdatasync,ftruncate,unlink",
    "json": "openat,write,fsync,rename,unlink,mkdir",
}
_MOST = 2000


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace on this machine")
@pytest.mark.parametrize("every", [None, pytest.param(1, marks=pytest.mark.deep)])
def test_closing_when_killed_at_a_system_call_then_the_scope_is_open_or_closed_with_all_its_parts(
    tmp_path: Path, kind: str, every: int | None
) -> None:
    original = tmp_path / "original"
    original.mkdir()
    with holdfast.open(target_in(original, kind)) as engine:
        engine.checkpoint("w", resume_handler="h", state={"n": 1})
        engine.checkpoint("w", type="stage_start", stage_id="s")
        opening = engine.checkpoint("w", type="agent_start", stage_id="s", agent_id="a", input=[1])
        before = _told(engine)
    calls = _count(original, kind, str(opening.id), tmp_path)
    step = every or max(1, len(calls) // 6)

    outcomes = [
        _killed_at(call, original, kind, str(opening.id), tmp_path) for call in calls[::step]
    ]

    whole = _after(original, kind, str(opening.id), tmp_path)
    assert whole != before
    assert all(each in (before, whole) for each in outcomes)
    is_closed = [each == whole for each in outcomes]
    assert is_closed == sorted(is_closed), "once it is committed it stays so"
    assert {True, False} <= set(is_closed)


def _count(original: Path, kind: str, opening: str, folder: Path) -> list[tuple[str, int]]:
    """Return the calls on files of the store, each with how many of its name came before."""
    trace = folder / "trace"
    copy = _copy(original, folder)
    _run(copy, kind, opening, ["-y", "-e", f"trace={_CALLS[kind]}", "-o", str(trace)])
    calls: list[tuple[str, int]] = []
    seen: dict[str, int] = {}
    for line in trace.read_text().splitlines():
        name = line.split(maxsplit=1)[-1].partition("(")[0]
        if name not in _CALLS[kind].split(","):
            continue
        seen[name] = seen.get(name, 0) + 1
        is_change = name != "openat" or "O_CREAT" in line
        if str(copy) in line and is_change:
            calls.append((name, seen[name]))
    assert 5 < len(calls) < _MOST
    return calls


def _killed_at(
    call: tuple[str, int], original: Path, kind: str, opening: str, folder: Path
) -> dict[str, Any]:
    name, number = call
    copy = _copy(original, folder)
    # Traced as they were counted, so that each call has its number.
    inject = ["-e", f"trace={_CALLS[kind]}", "-e", f"inject={name}:signal=KILL:when={number}"]
    killed = _run(copy, kind, opening, [*inject, "-o", "/dev/null"])
    assert killed.returncode != 0, f"it was not killed at {call}"
    with holdfast.open(target_in(copy, kind)) as engine:
        assert engine.verify().intact
        return _told(engine)


def _after(original: Path, kind: str, opening: str, folder: Path) -> dict[str, Any]:
    copy = _copy(original, folder)
    with holdfast.open(target_in(copy, kind)) as engine:
        engine.complete(opening, {"result": 1})
        return _told(engine)


def _run(
    folder: Path, kind: str, opening: str, options: list[str]
) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(PROGRAMS / "closer.py"), target_in(folder, kind), opening]
    done = subprocess.run(
        ["strace", "-f", "-qq", *options, *program], capture_output=True, text=True
    )
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip(f"strace is not allowed here: {done.stderr[-200:]}")
    return done


def _copy(original: Path, folder: Path) -> Path:
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(original, copy)
    return copy


def _told(engine: holdfast.Engine) -> dict[str, Any]:
    return {
        "checkpoints": [(str(each.id), str(each.status)) for each in engine.list(limit=None)],
        "events": [(each.number, each.kind.value) for each in engine.events()],
        "context": canonical(engine.context("w").outputs),
        "open": [repr(each) for each in engine.context("w").interrupted],
    }
