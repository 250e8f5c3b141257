"""States to measure with: made-up messages, the same ones every time."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import accumulate

from ...domain.json_value import JsonObject
from ..engine import Engine
from ..opening import open as open_engine
from ..settings import Settings

WORKFLOW = "measured"
HANDLER = "carry-on"

_LETTERS = "etaoinshrdlu"
_PATCH_SIZE = 1_000


class Changing:
    """A state of some size, of which a little changes from one save to the next.

    Args:
        size: bytes of its JSON, at most; some 100 at least.
    """

    def __init__(self, size: int) -> None:
        self._draw = random.Random(7)  # noqa: S311 - text, not secrets
        self._words = [
            "".join(self._draw.choices(_LETTERS, k=self._draw.randint(2, 9))) for _ in range(2_000)
        ]
        # Some words are common, as in any language: it is compressed like text.
        self._sums = list(accumulate(1 / (place + 3) for place in range(len(self._words))))
        length = max(20, min(1_000, size // 10))
        each = len(json.dumps({"id": 0, "text": ""})) + 8
        self._length = max(1, length - each)
        self._step = 0
        self.state: JsonObject = {"step": 0, "log": []}
        room = size - len(json.dumps(self.state)) - 10
        self._log: list[dict[str, object]] = [
            {"id": number, "text": self.text(self._length)} for number in range(room // length)
        ]
        self.state["log"] = self._log

    def text(self, length: int) -> str:
        """Return words, *length* characters of them."""
        found = " ".join(self._draw.choices(self._words, cum_weights=self._sums, k=length // 2 + 1))
        return found[:length]

    def next(self) -> JsonObject:
        """Change one message, in place, and return the state: as a program holds it."""
        self._step += 1
        self.state["step"] = self._step
        if self._log:
            place = self._draw.randrange(len(self._log))
            self._log[place]["text"] = self.text(self._length)
        return self.state

    def patches(self) -> Iterator[JsonObject]:
        """Yield patches of a kilobyte, each in the place of the one before."""
        step = 0
        while True:
            step += 1
            yield {"step": step, "note": self.text(_PATCH_SIZE)}


def open_for(path: str, state_size: int, durability: str = "power") -> Engine:
    """Open a store that takes states of this size, whatever the usual limit."""
    usual = Settings().max_state_bytes
    settings = Settings(max_state_bytes=max(usual, 2 * state_size))
    return open_engine(path, durability=durability, settings=settings)
