"""Opens stores as it is told; a program of its own for `test_opening_together`.

It reads one path a line, says that it is ready, waits until a byte comes for it through the pipe
that all workers share, opens the store, writes to it, closes it, and says how that went.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from holdfast.domain.events import DomainEvent, EventKind
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite.store import SqliteStore

AT = datetime(2026, 3, 1, tzinfo=UTC)


def main(barrier: int, warm_up: Path) -> None:
    _use(warm_up)  # everything is imported before it counts
    print("warm", flush=True)
    for line in sys.stdin:
        print("ready", flush=True)
        os.read(barrier, 1)
        try:
            _use(Path(line.rstrip("\n")))
        except Exception as error:  # noqa: BLE001 - told to the test
            print(f"{type(error).__name__}: {error}".replace("\n", " "), flush=True)
        else:
            print("done", flush=True)


def _use(path: Path) -> None:
    store = SqliteStore.open(path, JsonCodec(), durability="process", write_timeout=30.0)
    store.write(lambda uow: uow.events.append(DomainEvent(EventKind.RESUMED, "wf", AT)))
    store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
