"""The workflows of the soak: short, failing now and then, some of them waiting."""

from __future__ import annotations

import random
import time
from datetime import timedelta
from typing import Any

import holdfast

app = holdfast.Registry()
STEPS = 4


def result_of(number: int) -> list[int]:
    return [number * part for part in range(STEPS)]


def work(number: int, part: int) -> int:
    time.sleep(0.02)  # long enough to be killed within
    if random.random() < 0.03:
        raise ValueError("no luck this time")
    return number * part


@app.workflow("job", max_retries=1000)
def job(run: holdfast.Run) -> Any:
    number = run.input["number"]
    results = [run.step(f"part-{part}", work, number, part) for part in range(STEPS)]
    if number % 5 == 0:
        run.wait("nobody-answers", until=timedelta(seconds=1))
    return results
