"""What is saved: states like those of programs that talk, always the same ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from itertools import accumulate, islice
from typing import Any

import orjson

State = dict[str, Any]

_LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def _vocabulary() -> tuple[list[str], list[float]]:
    """Return made-up words and, summed up, how often each comes: it compresses like English."""
    draw = random.Random(7)
    weights = [1 / (place + 2) for place in range(len(_LETTERS))]
    words = ["".join(draw.choices(_LETTERS, weights, k=draw.randint(2, 9))) for _ in range(4000)]
    # Summed up once: `choices` would do it at every call.
    return words, list(accumulate(1 / (place + 3) for place in range(len(words))))


_WORDS, _SUMS = _vocabulary()


def text(length: int, draw: random.Random) -> str:
    """Return words, *length* characters of them."""
    words = " ".join(draw.choices(_WORDS, cum_weights=_SUMS, k=length // 3 + 2))
    while len(words) < length:
        words += " " + " ".join(draw.choices(_WORDS, cum_weights=_SUMS, k=length // 5 + 2))
    return words[:length]


def message(number: int, length: int, draw: random.Random) -> dict[str, Any]:
    """Return a message of a conversation; its JSON has *length* bytes."""
    role = "user" if number % 2 else "assistant"
    made = {"id": f"m-{number:06}", "role": role, "tokens": draw.randint(10, 4000), "content": ""}
    made["content"] = text(max(1, length - len(orjson.dumps(made))), draw)
    return made


def state(size: int, seed: int = 1) -> State:
    """Return a state whose JSON has about *size* bytes: some ten to a hundred messages."""
    draw = random.Random(seed)
    length = max(150, min(1000, size // 10))
    count = max(1, (size - 100) // (length + 1))
    messages = [message(number, length, draw) for number in range(count)]
    return {"step": 0, "phase": "analyse", "budget": {"spent": 0, "limit": 10**6}, "log": messages}


def changing(size: int) -> Iterator[State]:
    """Yield one state again and again, each time with one message of its log rewritten.

    It is the same object, changed in place, as a program holds it.
    """
    held = state(size)
    draw = random.Random(2)
    length = len(orjson.dumps(held["log"][0]))
    while True:
        held["step"] += 1
        held["budget"]["spent"] += draw.randint(1, 50)
        place = draw.randrange(len(held["log"]))
        held["log"][place] = message(held["step"], length, draw)
        yield held


def made_before(states: Iterator[State], count: int) -> list[State]:
    """Return the next *count* states, each an object of its own.

    For threads and tasks: what one of them makes while it is timed, the others wait for.
    """
    return [deepcopy(each) for each in islice(states, count)]


def rewritten(size: int, kinds: int = 16) -> Iterator[State]:
    """Yield states that have nothing in common with the one before."""
    ready = [state(size, seed) for seed in range(100, 100 + kinds)]
    step = 0
    while True:
        step += 1
        yield ready[step % kinds] | {"step": step}


def patches(size: int) -> Iterator[State]:
    """Yield patches whose JSON has about *size* bytes; together they fill ten slots."""
    draw = random.Random(3)
    step = 0
    while True:
        step += 1
        yield {"step": step, f"slot-{step % 10}": text(size - 30, draw)}
