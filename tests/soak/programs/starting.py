"""Start one job after the other, under names that come again, until killed."""

from __future__ import annotations

import os
import random
import sys
from contextlib import suppress

import holdfast
from jobs import app, result_of  # type: ignore[import-not-found]  # beside it

target, wrong_path = sys.argv[1:]
settings = {"back_off_base": 0.05, "back_off_cap": 0.5, "lease": 5.0}

with holdfast.open(target, registry=app, settings=settings) as engine:
    while True:
        number = random.randrange(40)
        # What is held, waits, fails or is not due yet is for the supervisors.
        with suppress(holdfast.Refused, holdfast.NotFound, ValueError):
            found = engine.start("job", workflow_id=f"job-{number}", input={"number": number})
            if found != result_of(number):
                with open(wrong_path, "a") as wrong:  # noqa: PTH123
                    wrong.write(f"{os.getpid()}: job-{number} returned {found}\n")
