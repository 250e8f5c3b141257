"""What a run hands to its children, so that they write under its lease: ``HOLDFAST_RUN_*``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .errors import InvalidRequest
from .lease import Credentials
from .scope import Scope
from .wording import shorten

PREFIX = "HOLDFAST_RUN_"
SIGNS = f"{PREFIX}SIGNS"
_WORKFLOW = f"{PREFIX}WORKFLOW"


@dataclass(frozen=True, slots=True)
class RunHandover:
    """What a child must know to write under the lease of the run that it belongs to.

    Attributes:
        store: as text that opens it.
        workflow: its text form, as the command line takes it.
        silence: seconds for which the run may be silent.
        app: the program, as ``MODULE:ATTRIBUTE``, where it was named so.
        signs: where to give signs of life: the path of a named pipe.
    """

    store: str
    workflow: str
    epoch: int
    token: str = field(repr=False)
    correlation_id: str
    attempt: int
    silence: float
    handler: str | None = None
    app: str | None = None
    signs: str | None = None

    @property
    def credentials(self) -> Credentials:
        """What its writes carry."""
        return Credentials(self.epoch, self.token)

    def in_environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the environment *base* for a child of the run; nothing of an outer run is left.

        The command line finds the run's store and program in it, too.
        """
        said = {
            "STORE": self.store,
            "WORKFLOW": self.workflow,
            "EPOCH": str(self.epoch),
            "TOKEN": self.token,
            "CORRELATION_ID": self.correlation_id,
            "ATTEMPT": str(self.attempt),
            "SILENCE": repr(self.silence),
            "HANDLER": self.handler,
            "APP": self.app,
        }
        handed = {f"{PREFIX}{name}": value for name, value in said.items() if value is not None}
        handed["HOLDFAST_STORE"] = self.store
        if self.app is not None:
            handed["HOLDFAST_APP"] = self.app
        return {name: base[name] for name in base if not name.startswith(PREFIX)} | handed


def handed_over(environment: Mapping[str, str]) -> RunHandover | None:
    """Return what the environment hands over; ``None`` outside of runs.

    Raises:
        InvalidRequest: part of it is missing, or was changed into something else.
    """
    if _WORKFLOW not in environment:
        return None

    def get(name: str) -> str:
        found = environment.get(f"{PREFIX}{name}")
        if found is None:
            raise InvalidRequest(
                f"{PREFIX}{name} is missing in the environment, and {_WORKFLOW} is there; hand all "
                "of them on, or none"
            )
        return found

    def number(name: str) -> float:
        try:
            return float(get(name))
        except ValueError:
            raise InvalidRequest(f"{PREFIX}{name} is {shorten(get(name))}, not a number") from None

    return RunHandover(
        store=get("STORE"),
        workflow=get("WORKFLOW"),
        epoch=int(number("EPOCH")),
        token=get("TOKEN"),
        correlation_id=get("CORRELATION_ID"),
        attempt=int(number("ATTEMPT")),
        silence=number("SILENCE"),
        handler=environment.get(f"{PREFIX}HANDLER"),
        app=environment.get(f"{PREFIX}APP"),
        signs=environment.get(SIGNS),
    )


def text_of(workflow_id: str) -> str:
    """Return the text form of a workflow, as it is handed over."""
    return str(Scope(workflow_id))
