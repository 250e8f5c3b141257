"""What the demo proves, claim by claim."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from .director import Performance


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that must hold, whether it does, and what shows it."""

    text: str
    holds: bool
    evidence: str


def prove(alone: Performance, killed: Performance, kills: int) -> list[Claim]:
    """Return what must hold of a run that was killed, next to one that was not."""
    same = [name for name, content in alone.reports.items() if killed.reports[name] == content]
    repeated = _repeated(killed)
    lost = _lost(killed)
    twice = _ran_twice(killed)
    interrupted = {agent for play in killed.plays for agent in play.interrupted}
    saved = len(killed.plays[-2].saved) if len(killed.plays) > 1 else 0
    return [
        Claim(
            "the reports equal those of the undisturbed run, byte for byte",
            len(same) == len(alone.reports) and killed.result == alone.result,
            ", ".join(f"{name} ({len(alone.reports[name]):,} bytes)" for name in same),
        ),
        Claim(
            "no agent whose result was saved ran again",
            not repeated,
            f"repeated: {', '.join(repeated)}"
            if repeated
            else f"saved before the last process began: {saved}",
        ),
        Claim(
            "every saved result is still there",
            not lost,
            f"lost: {', '.join(lost)}" if lost else f"{len(killed.agents)} agents have theirs",
        ),
        Claim(
            "only what a kill kept from being saved ran twice",
            twice <= interrupted | _unsaved(killed),
            f"ran again: {', '.join(sorted(twice)) or 'none'}",
        ),
        Claim(
            "each kill was one attempt",
            killed.attempts == kills + 1,
            f"{killed.attempts} attempts for {kills} kills",
        ),
    ]


def _repeated(run: Performance) -> list[str]:
    """Return the agents that began in a process after their result had been saved."""
    saved: set[str] = set()
    repeated = []
    for play in run.plays:
        begun = {each.agent for each in run.entries if each.pid == play.pid}
        repeated += sorted(begun & saved)
        saved |= set(play.saved)
    return repeated


def _lost(run: Performance) -> list[str]:
    saved = {agent for play in run.plays for agent in play.saved}
    return sorted(saved - set(run.agents))


def _ran_twice(run: Performance) -> set[str]:
    begun = Counter(each.agent for each in run.entries if each.what == "begun")
    return {agent for agent, times in begun.items() if times > 1}


def _unsaved(run: Performance) -> set[str]:
    """Return the agents that were done, and whose result the kill kept from being saved."""
    return {agent for play in run.plays for agent in play.finished if agent not in play.saved}
