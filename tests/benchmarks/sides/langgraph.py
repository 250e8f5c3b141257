"""LangGraph's SQLite checkpointers, as its own graphs call them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .peers import module

NAME = "langgraph-checkpoint-sqlite"


class Thread:
    """A thread of a graph: what the graph tells the checkpointer at each step."""

    def __init__(self, thread_id: str) -> None:
        self._new_id = module("langgraph.checkpoint.base.id").uuid6
        self.config: dict[str, Any] = {
            "configurable": {"thread_id": thread_id, "checkpoint_ns": ""}
        }
        self.step = 0

    def checkpoint(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the next checkpoint."""
        self.step += 1
        return {
            "v": 4,
            "id": str(self._new_id(clock_seq=self.step)),
            "ts": datetime.now(UTC).isoformat(),
            "channel_values": state,
            "channel_versions": dict.fromkeys(state, f"{self.step:032}.0"),
            "versions_seen": {"node": dict.fromkeys(state, f"{self.step - 1:032}.0")},
            "updated_channels": None,
        }

    def metadata(self) -> dict[str, Any]:
        """Return what a graph says about the checkpoint."""
        return {"source": "loop", "step": self.step, "parents": {}}


class Saver:
    """The synchronous checkpointer at its defaults, on one file."""

    def __init__(self, path: Path) -> None:
        # As its `from_conn_string` connects.
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self.saver: Any = module("langgraph.checkpoint.sqlite").SqliteSaver(self._connection)

    def put(self, thread: Thread, state: dict[str, Any]) -> None:
        """Save a state as the thread's next checkpoint."""
        made = thread.checkpoint(state)
        thread.config = self.saver.put(
            thread.config, made, thread.metadata(), made["channel_versions"]
        )

    def put_with_writes(
        self, thread: Thread, state: dict[str, Any], writes: Sequence[tuple[str, Any]]
    ) -> None:
        """Save what a task wrote, then the checkpoint that follows: a step of a graph."""
        if "checkpoint_id" in thread.config["configurable"]:
            self.saver.put_writes(thread.config, writes, f"task-{thread.step}")
        self.put(thread, state)

    def latest(self, thread: Thread) -> Any:
        """Return the newest state of a thread."""
        wanted = {"configurable": dict(thread.config["configurable"])}
        wanted["configurable"].pop("checkpoint_id", None)
        return self.saver.get_tuple(wanted).checkpoint["channel_values"]

    def history(self, thread: Thread) -> list[Any]:
        """Return all checkpoints of a thread."""
        wanted = {"configurable": dict(thread.config["configurable"])}
        wanted["configurable"].pop("checkpoint_id", None)
        return list(self.saver.list(wanted))

    def close(self) -> None:
        self._connection.close()
