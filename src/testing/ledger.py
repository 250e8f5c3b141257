"""What happened in a run that may be killed at any moment: lines that are there at once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.json_value import JsonValue
from .watched_store import Commit


class Ledger:
    """A file that a run appends to, line by line. May be used from many threads."""

    def __init__(self, path: Path) -> None:
        # Unbuffered, and each line in one write: what was written outlives the process.
        self._file = path.open("ab", buffering=0)

    def note_work(self, step: str) -> None:
        """Note that a step, or an agent, began to work."""
        self._append(work=step)

    def note_commit(self, commit: Commit) -> None:
        """Note what is about to be durable."""
        result = commit.result.decode() if commit.result is not None else None
        self._append(commit=commit.number, wrote=" and ".join(commit.wrote), result=result)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _append(self, **line: JsonValue) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")


@dataclass(frozen=True, slots=True)
class Noted:
    """What a ledger says.

    Attributes:
        calls: how many times each step and agent began.
        commits: what each commit wrote, by its number, of the run that was first.
        result: the JSON text of the result that a run was about to record first; ``None`` where
            none came so far.
    """

    calls: Counter[str]
    commits: dict[int, str]
    result: str | None

    @classmethod
    def read(cls, path: Path) -> Noted:
        """Return what the ledger at *path* says; nothing where there is none."""
        text = path.read_text() if path.exists() else ""
        lines: list[dict[str, Any]] = [json.loads(each) for each in text.splitlines()]
        commits: dict[int, str] = {}
        for each in lines:
            if "commit" in each:
                commits.setdefault(each["commit"], each["wrote"])
        results = [each["result"] for each in lines if each.get("result") is not None]
        calls = Counter(each["work"] for each in lines if "work" in each)
        return cls(calls, commits, results[0] if results else None)
