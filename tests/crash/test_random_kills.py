"""A real orchestrator, killed at random moments and carried on, against an undisturbed run."""

from __future__ import annotations

import random
from collections.abc import Callable

import holdfast
import pytest

from .conftest import Crew, Line

AGENTS = 24


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.deep)])
def test_run_when_killed_at_random_moments_then_result_and_acknowledged_work_are_kept(
    crew: Callable[[str, int], Crew], kills: int
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    draw = random.Random(seed)
    expected = crew("undisturbed", AGENTS).finish("start")
    landed = runs = 0
    while landed < kills:
        run = crew(f"run-{runs}", AGENTS)
        runs += 1
        landed += _kill_and_carry_on(run, draw, kills - landed, expected, f"seed {seed}")
    assert landed == kills


def _kill_and_carry_on(crew: Crew, draw: random.Random, most: int, expected: str, hint: str) -> int:
    """Kill one run up to four times, then let it finish; return how many kills landed."""
    landed = 0
    acknowledged: set[str] = set()
    command = "start"
    for _ in range(min(most, 4)):
        wanted = draw.randrange(2, AGENTS)
        pause = draw.randrange(200)
        if not crew.kill_when(command, _after(wanted, pause)):
            command = "start"  # it was over before: gives the recorded result
            break
        landed += 1
        command = "recover" if crew.is_store_made else "start"
        _check_acknowledged(crew, acknowledged, hint)
        acknowledged |= {each.about for each in crew.lines() if each.what == "acknowledged"}
    output = crew.finish(command)
    assert output == expected, hint
    _check_not_repeated(crew, hint)
    return landed


def _after(acknowledged: int, pause: int) -> Callable[[list[Line]], bool]:
    """Return what says when to kill: some polls after so many agents were acknowledged."""
    polls = 0

    def is_moment(lines: list[Line]) -> bool:
        nonlocal polls
        if sum(each.what == "acknowledged" for each in lines) < acknowledged:
            return False
        polls += 1
        return polls > pause

    return is_moment


def _check_acknowledged(crew: Crew, before: set[str], hint: str) -> None:
    """Everything that a process was told is saved must be there after its death."""
    with holdfast.open(crew.store) as engine:
        outputs = engine.context("crew").outputs
        for line in crew.lines():
            if line.what == "saved":
                assert engine.get(line.about).status == "completed", hint
            if line.what == "acknowledged":
                assert line.about in outputs, hint
    assert before <= set(outputs), hint


def _check_not_repeated(crew: Crew, hint: str) -> None:
    """No agent begins after somebody was told that it is finished."""
    acknowledged: set[str] = set()
    for line in crew.lines():
        if line.what == "acknowledged":
            acknowledged.add(line.about)
        if line.what == "begun":
            assert line.about not in acknowledged, hint
