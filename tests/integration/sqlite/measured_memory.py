"""How much memory something takes; a program of its own, so that nothing else is counted.

Called with what to do and the path of a store; prints by how many bytes the peak of its memory grew
as JSON.

- ``save``: saves a state of 10 MB, and then one that differs a little.
- ``list``: lists what is there, twice.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from random import Random
from typing import Any

import holdfast
import orjson
from holdfast.domain.ports import CheckpointFilter
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite.store import SqliteStore

_SIZE = 10_000_000


def _save(path: Path) -> None:
    engine = holdfast.open(path)
    engine.checkpoint("wf", state={"before": "everything is imported"})
    state, size = _state()
    first = _growth_of(lambda: engine.checkpoint("wf", state=state))
    state["records"][700]["text"] = "changed"
    state["records"].insert(9000, {"new": True})
    second = _growth_of(lambda: engine.checkpoint("wf", state=state))
    third = _growth_of(lambda: engine.checkpoint("wf", state={**state, "more": 1}))
    engine.close()
    print(json.dumps({"size": size, "first": first, "second": second, "third": third}))


def _state() -> tuple[dict[str, Any], int]:
    """Return a state and its size, without ever having all of it as text: that would be counted."""
    random = Random(1)
    words = [random.randbytes(random.randrange(1, 6)).hex() for _ in range(5000)]
    records: list[Any] = []
    size = 0
    while size < _SIZE:
        text = " ".join(random.choices(words, k=random.randrange(4, 30)))
        score = random.random()
        records.append({"id": random.randrange(10**9), "text": text, "score": score, "ok": True})
        size += len(orjson.dumps(records[-1])) + 1
    return {"records": records}, size


def _list(path: Path) -> None:
    store = SqliteStore.open(path, JsonCodec())
    wanted = CheckpointFilter()
    store.read(lambda uow: [next(uow.checkpoints.find(wanted)) for _ in range(200)])
    grown = _growth_of(lambda: store.read(lambda uow: sum(1 for _ in uow.checkpoints.find(wanted))))
    count = store.read(lambda uow: sum(1 for _ in uow.checkpoints.find(wanted)))
    print(json.dumps({"grown": grown, "count": count}))
    store.close()


def _growth_of(do: Any) -> int:
    before = _peak()
    do()
    return _peak() - before


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


{"save": _save, "list": _list}[sys.argv[1]](Path(sys.argv[2]))
