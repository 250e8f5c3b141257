"""Histories of states, each made by editing an earlier one; and what a store must say of them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.json_value import canonical, merge_patch
from holdfast.domain.payload import Payload
from holdfast.domain.ports import Store, UnitOfWork
from holdfast.domain.replay import Replay
from holdfast.domain.scope_record import ScopeRecord

SCOPES = ("wf", "wf/s", "wf/s/a", "wf/s/b", "wf/t")
_WORDS = [
    "the",
    "plan",
    "was",
    "read",
    "twice",
    "nobody",
    "saw",
    "fault",
    "\u00fc\u4e16",
    "\U0001f33f",
    "\u2028",
]
# Equal for Python, or nearly; different for JSON.
_ALIKE: list[Any] = [
    0,
    -0.0,
    0.0,
    False,
    1,
    1.0,
    True,
    "1",
    None,
    "null",
    [],
    {},
    "",
    [1],
    {"1": 1},
]
_LONG_INTEGERS = [2**63, 2**64, -(2**80), 10**500]


def first_state(random: Random, size: int) -> dict[str, Any]:
    """Return a state of some *size* values."""
    return {
        "goal": sentence(random),
        "messages": [message(random) for _ in range(size)],
        "seen": {f"k{n}": random.choice(_ALIKE) for n in range(size // 2)},
    }


def message(random: Random) -> dict[str, Any]:
    """Return what a list of messages may hold."""
    return {"id": random.randrange(10**6), "text": sentence(random), "ok": random.choice(_ALIKE)}


def sentence(random: Random) -> str:
    """Return a few words."""
    return " ".join(random.choices(_WORDS, k=random.randrange(3, 20)))


def edited(state: dict[str, Any], random: Random) -> dict[str, Any]:
    """Return a copy of *state* with one to three changes somewhere in it."""
    new: dict[str, Any] = copy.deepcopy(state)
    for _ in range(random.randrange(1, 4)):
        random.choice(_EDITS)(new, random)
    return new


def _insert(state: dict[str, Any], random: Random) -> None:
    messages = _messages(state)
    messages.insert(random.randrange(len(messages) + 1), message(random))


def _remove(state: dict[str, Any], random: Random) -> None:
    messages = _messages(state)
    if messages:
        start = random.randrange(len(messages))
        del messages[start : start + random.randrange(1, 3)]


def _retype(state: dict[str, Any], random: Random) -> None:
    messages = _messages(state)
    if messages:
        messages[random.randrange(len(messages))]["ok"] = random.choice(_ALIKE)


def _move_key(state: dict[str, Any], random: Random) -> None:
    keys = [key for key in sorted(state) if key != "messages" or random.randrange(8) == 0]
    key = random.choice(keys or ["goal"])
    state[random.choice(["goal", "seen", "moved", "\u00e4 / \u4e16", ""])] = state.pop(key, None)


def _reorder(state: dict[str, Any], random: Random) -> None:
    if random.randrange(6) == 0:  # what moves is not found again: it is stored whole
        for key in random.sample(sorted(state), len(state)):
            state[key] = state.pop(key)


def _long_integer(state: dict[str, Any], random: Random) -> None:
    if state.pop("long", None) is None:
        state["long"] = random.choice(_LONG_INTEGERS)


def _change_text(state: dict[str, Any], random: Random) -> None:
    state["goal"] = sentence(random) + random.choice(["", '\n\\"{}[],:', "\x00\x1f", "\ue000"])


def _clear(state: dict[str, Any], random: Random) -> None:
    if random.randrange(30) == 0:
        state.clear()


def _double(state: dict[str, Any], random: Random) -> None:
    messages = _messages(state)
    if len(messages) < 60:
        messages.extend(copy.deepcopy(messages))


def _messages(state: dict[str, Any]) -> list[Any]:
    found = state.get("messages")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        found = state["messages"] = []
    return found


_EDITS = [_insert, _insert, _remove, _retype, _retype, _move_key, _reorder, _long_integer]
_EDITS += [_change_text, _clear, _double]


def patch_for(random: Random) -> dict[str, Any]:
    """Return a merge patch."""
    patch: dict[str, Any] = {
        "goal": random.choice([None, "patched", 1.0]),
        "seen": random.choice([None, {"k1": None, "new": random.choice(_ALIKE)}]),
        f"p{random.randrange(3)}": {"deep": {"er": random.choice(_ALIKE)}},
    }
    return {key: patch[key] for key in random.sample(sorted(patch), random.randrange(1, 4))}


@dataclass
class Model:
    """What every checkpoint adds up to: a whole state for each scope, kept for each checkpoint."""

    states: dict[CheckpointId, dict[str, Any]] = field(default_factory=dict)

    def add(
        self,
        saved: CheckpointId,
        parent: CheckpointId | None,
        *,
        state: Any = None,
        patch: Any = None,
    ) -> None:
        """Note what was written."""
        now = dict(self.states[parent]) if parent else {}
        scope = saved.scope.key
        if state is not None:
            now[scope] = copy.deepcopy(state)
        if patch is not None:
            now[scope] = merge_patch(now.get(scope, {}), copy.deepcopy(patch))
        self.states[saved] = now

    def require(self, store: Store, ids: list[CheckpointId] | None = None) -> None:
        """Raise unless *store* says the same at every checkpoint, in value and type."""
        for each in ids if ids is not None else list(self.states):
            replay = replay_of(store, each)
            found = {scope.key: canonical(replay.record(scope).state) for scope in replay.scopes}
            wanted = {key: canonical(state) for key, state in self.states[each].items()}
            assert {key: found.get(key) for key in wanted} == wanted, each
            payload = store.read(partial(_payload, each))
            if payload.state is not None:
                value = store.codec.decode(payload.state)  # type: ignore[attr-defined]
                assert canonical(value) == wanted[each.scope.key], each


def told(replay: Replay) -> dict[str, str]:
    """Return all that a replay says, as texts that tell ``1`` from ``True``."""
    return {scope.key: _plain(record) for scope, record in replay.scopes.items()}


def _payload(checkpoint_id: CheckpointId, uow: UnitOfWork) -> Payload:
    return uow.checkpoints.payload(checkpoint_id)


def _plain(record: ScopeRecord) -> str:
    fields = {name: getattr(record, name) for name in ScopeRecord.__slots__}
    values = {name: fields.pop(name) for name in ("state", "input", "output")}
    return f"{fields!r} {canonical(values)}"


def replay_of(store: Store, checkpoint_id: CheckpointId) -> Replay:
    """Return what the chain adds up to at a checkpoint."""
    return store.read(lambda uow: uow.checkpoints.replay(checkpoint_id))


def newest(store: Store, workflow_id: str = "wf") -> CheckpointId | None:
    """Return the head of a workflow."""

    def work(uow: UnitOfWork) -> CheckpointId | None:
        standing = uow.checkpoints.standing(workflow_id)
        return standing.head if standing else None

    return store.read(work)
