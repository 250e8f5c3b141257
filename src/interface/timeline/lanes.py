"""Which scopes get a lane of their own, and which are folded into one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...application.queries.trace_workflow import Opened, ScopeTrace
from ...domain.checkpoint_status import CheckpointStatus

STAGES_SHOWN = 40
AGENTS_SHOWN = 16
_AGENTS_IN_ALL = 96


@dataclass(frozen=True, slots=True)
class Lane:
    """One scope, or what is folded: the rest of the stages, or of the agents of a stage.

    Attributes:
        depth: 0 for stages, 1 for agents.
        what: of what is folded, ``agents`` or ``stages``.
    """

    scopes: tuple[ScopeTrace, ...]
    depth: int
    what: str | None = None

    @property
    def label(self) -> str:
        """What it is called."""
        if self.what is not None:
            return f"+ {len(self.scopes):,} more {self.what}"
        scope = self.scopes[0].scope
        return scope.agent_id or scope.stage_id or ""

    @property
    def told(self) -> str:
        """Its id in full; of what is folded, how many there are in which state."""
        if self.what is None:
            return str(self.scopes[0].scope)
        states = Counter(
            each.opened[-1].status.value if each.opened else "record" for each in self.scopes
        )
        counts = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
        return f"{self.label}: {counts}"


def lanes_of(root: ScopeTrace) -> list[Lane]:
    """Return the lanes of a workflow, top to bottom.

    What did not go well is shown before what did, and what took long before what was quick.
    """
    shown, folded = _split(root.inside, STAGES_SHOWN)
    with_agents = sum(bool(stage.inside) for stage in shown)
    agents = max(2, min(AGENTS_SHOWN, _AGENTS_IN_ALL // max(with_agents, 1)))
    lanes: list[Lane] = []
    for stage in shown:
        lanes.append(Lane((stage,), 0))
        own, rest = _split(stage.inside, agents)
        lanes += [Lane((agent,), 1) for agent in own]
        if rest:
            lanes.append(Lane(tuple(rest), 1, "agents"))
    if folded:
        lanes.append(Lane(tuple(folded), 0, "stages"))
    return lanes


def packed(spans: list[tuple[float, float]], rows: int) -> list[int]:
    """Return a row for each span, so that as few as possible overlap; in order of their begin.

    >>> packed([(0, 4), (1, 3), (3, 5)], rows=8)
    [0, 1, 1]
    """
    free: list[float] = []
    found: list[int] = []
    for begin, end in spans:
        row = next((row for row, at in enumerate(free) if at <= begin), len(free))
        if row == len(free) and row < rows:
            free.append(end)
        elif row == len(free):
            row = min(range(len(free)), key=free.__getitem__)
        free[row] = max(free[row], end)
        found.append(row)
    return found


def _split(traces: list[ScopeTrace], most: int) -> tuple[list[ScopeTrace], list[ScopeTrace]]:
    if len(traces) <= most + 1:  # one that is folded takes the room of a lane, too
        return traces, []
    ranked = sorted(range(len(traces)), key=lambda index: (_rank(traces[index]), index))
    chosen = set(ranked[:most])
    shown = [each for index, each in enumerate(traces) if index in chosen]
    return shown, [each for index, each in enumerate(traces) if index not in chosen]


def _rank(trace: ScopeTrace) -> tuple[bool, bool, timedelta]:
    went_well = all(each.status is CheckpointStatus.COMPLETED for each in trace.opened)
    smooth = not any(each.failures for each in trace.opened) and len(trace.opened) <= 1
    return went_well, smooth, -sum(map(_took, trace.opened), timedelta())


def _took(opened: Opened) -> timedelta:
    until: datetime = opened.until or datetime.max.replace(tzinfo=opened.since.tzinfo)
    # What is open has taken longest so far; not added up without bound.
    return min(until - opened.since, timedelta(days=36_500))
