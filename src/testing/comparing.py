"""What is not the same in a run that was killed and carried on."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ..domain.difference import Difference, differences
from ..domain.json_value import JsonObject, JsonValue
from ..domain.wording import shorten_text
from .execution import Outcome
from .kill_report import Mismatch
from .ledger import Noted

_UNRECORDED = (
    "it depends on what is not recorded: memory of the process, a random value, the time, the "
    "order of a set; take that in a step of its own"
)
# The last member of a path, as `differences` writes it.
_MEMBER = re.compile(r'(\.\w+|\[\d+\]|\["([^"\\]|\\.)*"\])$')
_HINTS = {
    "InputChanged": "a step is asked with what is not recorded: a random value, the time, memory "
    "of the process; take that in a step of its own",
    "DuplicateName": "the names of steps depend on what is not recorded",
}
_OUTSIDE = (
    "something happens outside of steps, or in a step that was in doubt and ran again: let it look "
    "whether it is done already"
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run from its beginning to its end, over a kill or without one.

    Attributes:
        outside: what the test saw of the world outside the store.
        killed: whether there was a kill.
    """

    outcome: Outcome
    noted: Noted
    outside: JsonValue = None
    killed: bool = False

    @property
    def values(self) -> JsonObject:
        """What is compared by place."""
        return {
            "result": self.outcome.result,
            "context": self.outcome.context,
            "outside": self.outside,
        }


def varying_places(one: Run, other: Run) -> tuple[str, ...]:
    """Return what differs between two undisturbed runs.

    Where the members of an object or a list do, it is the ``[*]`` of that.
    """
    found = [
        each.path if each.change == "changed" else _any_member(each.path)
        for each in _differences(one, other)
    ]
    if one.noted.calls != other.noted.calls:
        found.append("steps")
    return tuple(dict.fromkeys(found))


def mismatches(undisturbed: Run, run: Run, varying: tuple[str, ...]) -> Iterator[Mismatch]:
    """Iterate over what is not as in the undisturbed run, but for what varies anyway."""
    if run.outcome.error is not None:
        kind = run.outcome.error.partition(":")[0]
        yield Mismatch("recovery", f"raised {run.outcome.error}", _HINTS.get(kind, ""))
        return
    found = False
    for each in _differences(undisturbed, run):
        if not any(_varies(each, place) for place in varying):
            is_outside = each.path.startswith("outside")
            found = found or not is_outside
            yield Mismatch(each.path, _told(each), _OUTSIDE if is_outside else _UNRECORDED)
    if not found:
        yield from _unlike_recorded(run)
    yield from _steps(undisturbed, run, compares_names="steps" not in varying)


def repeated_steps(undisturbed: Run, run: Run) -> Counter[str]:
    """Return how often each step ran that ran more often than in the undisturbed run."""
    calls, usual = run.noted.calls, undisturbed.noted.calls
    return Counter({step: count for step, count in calls.items() if count > usual[step] > 0})


def _unlike_recorded(run: Run) -> Iterator[Mismatch]:
    """Compare with what the killed run was about to record itself: every step was finished then."""
    if run.noted.result is None or not run.killed:
        return
    told = json.loads(run.noted.result)
    for each in differences(told, run.outcome.result, "result"):
        yield Mismatch(each.path, _told(each, "the killed run had"), _UNRECORDED)


def _steps(undisturbed: Run, run: Run, *, compares_names: bool) -> Iterator[Mismatch]:
    for step, count in sorted(repeated_steps(undisturbed, run).items()):
        if step not in run.outcome.in_doubt:
            problem = f"ran {count} times, although it was finished before the kill"
            yield Mismatch(
                f"step {step}", problem, "it is asked with another input, and changed_input='rerun'"
            )
    calls, usual = run.noted.calls, undisturbed.noted.calls
    if not compares_names:
        if len(calls) > len(usual):
            problem = f"{len(calls)} ran, each under its name, and undisturbed {len(usual)}"
            yield Mismatch("steps", problem, _HINTS["DuplicateName"])
        return
    for step in sorted(usual.keys() - calls.keys()):
        problem = "never ran, neither before the kill nor after it"
        yield Mismatch(f"step {step}", problem, _UNRECORDED)
    for step in sorted(calls.keys() - usual.keys()):
        yield Mismatch(f"step {step}", "ran, and does not in an undisturbed run", _UNRECORDED)


def _differences(one: Run, other: Run) -> Iterator[Difference]:
    for name in one.values:
        yield from differences(one.values[name], other.values[name], name)


def _any_member(path: str) -> str:
    """Return the place for any member of what *path* is in."""
    return f"{_MEMBER.sub('', path)}[*]"


def _varies(found: Difference, place: str) -> bool:
    if place.endswith("[*]"):
        return found.change != "changed" and _any_member(found.path) == place
    # Not above it: there a value is another, or gone, whatever varies within it.
    return found.path == place or found.path.startswith((f"{place}.", f"{place}["))


def _told(found: Difference, before: str = "undisturbed") -> str:
    if found.change == "added":
        return f"there is {_text(found.new)}, and {before} nothing"
    if found.change == "removed":
        return f"there is nothing, and {before} {_text(found.old)}"
    return f"{_text(found.new)}, and {before} {_text(found.old)}"


def _text(value: JsonValue) -> str:
    return shorten_text(json.dumps(value, ensure_ascii=False))
