"""Eight processes open one store at once, for the first time or for its upgrade: none fails."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import pytest
from holdfast.infrastructure.sqlite.format import SCHEMA

MakeStore = Callable[[Path, int], None]

PROCESSES = 8
ROUNDS = 80

pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="the workers share a pipe in a way that Windows does not know"
)


class Crowd:
    """Long-lived processes that open a store together, as often as they are told to."""

    def __init__(self, folder: Path) -> None:
        waiting, self._gate = os.pipe()
        self._processes = [
            subprocess.Popen(
                [
                    sys.executable,
                    str(Path(__file__).with_name("opening_worker.py")),
                    str(waiting),
                    str(folder / f"warm-up-{number}.db"),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                pass_fds=[waiting],
            )
            for number in range(PROCESSES)
        ]
        os.close(waiting)
        self._expect("warm")

    def open(self, path: Path) -> list[str]:
        """Let all of them open the store at once; return how it went for each."""
        for process in self._processes:
            _pipe(process.stdin).write(f"{path}\n")
            _pipe(process.stdin).flush()
        self._expect("ready")
        os.write(self._gate, b"!" * PROCESSES)
        return self._answers()

    def end(self) -> None:
        os.close(self._gate)
        for process in self._processes:
            process.kill()
            process.communicate()

    def _expect(self, answer: str) -> None:
        assert self._answers() == [answer] * PROCESSES

    def _answers(self) -> list[str]:
        return [_pipe(process.stdout).readline().rstrip("\n") for process in self._processes]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    crowd = Crowd(tmp_path_factory.mktemp("crowd"))
    yield crowd
    crowd.end()


def test_open_when_eight_processes_make_one_store_at_once_then_none_fails(
    crowd: Crowd, tmp_path: Path
) -> None:
    outcomes: Counter[str] = Counter()

    for number in range(ROUNDS):
        path = tmp_path / f"new-{number}.db"
        outcomes.update(crowd.open(path))
        outcomes[_state_of(path)] += 1
        path.unlink()

    assert outcomes == {"done": ROUNDS * PROCESSES, "sound": ROUNDS}


def test_open_when_eight_processes_upgrade_one_store_at_once_then_none_fails(
    crowd: Crowd, tmp_path: Path, make_store_of: MakeStore
) -> None:
    old = tmp_path / "old.db"
    make_store_of(old, 1)
    outcomes: Counter[str] = Counter()

    for number in range(ROUNDS):
        path = tmp_path / f"old-{number}.db"
        shutil.copyfile(old, path)
        outcomes.update(crowd.open(path))
        outcomes[_state_of(path, checkpoints=3)] += 1
        path.unlink()

    assert outcomes == {"done": ROUNDS * PROCESSES, "sound": ROUNDS}


def _state_of(path: Path, checkpoints: int = 0) -> str:
    """Return ``sound``, or what is wrong with a store that all of them have used."""
    with closing(sqlite3.connect(path)) as raw:
        found: dict[str, Any] = {
            "version": raw.execute("PRAGMA user_version").fetchone()[0],
            "mode": raw.execute("PRAGMA journal_mode").fetchone()[0],
            "revisions": raw.execute("SELECT count(*) FROM alembic_version").fetchone()[0],
            "checkpoints": raw.execute("SELECT count(*) FROM checkpoints").fetchone()[0],
            "written": raw.execute("SELECT count(*) FROM events").fetchone()[0],
        }
    wanted = {
        "version": SCHEMA,
        "mode": "wal",
        "revisions": 1,
        "checkpoints": checkpoints,
        "written": PROCESSES + (1 if checkpoints else 0),
    }
    return "sound" if found == wanted else str(found)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
