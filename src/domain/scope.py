"""The workflow, a stage of it, or an agent of a stage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, Self

from .advice import ENCODED
from .errors import InvalidId
from .name_part import check_part, escape_part, unescape_part

ScopeKind = Literal["workflow", "stage", "agent"]


class _Parts(NamedTuple):
    workflow_id: str
    stage_id: str | None = None
    agent_id: str | None = None


class Scope(_Parts):
    """What a checkpoint is about: a workflow, a stage of it, or an agent of a stage.

    Its text form is ``workflow``, ``workflow/stage`` or ``workflow/stage/agent`` with ``/ @ %``
    percent-encoded inside a part.

    >>> str(Scope("nightly", "load", "eu/west"))
    'nightly/load/eu%2Fwest'
    """

    __slots__ = ()

    # A tuple: what is remembered of scopes is looked up by them, some ten times a save.

    def __new__(
        cls, workflow_id: str, stage_id: str | None = None, agent_id: str | None = None
    ) -> Self:
        """Return the scope of these parts; raises `InvalidId`."""
        check_part("workflow_id", workflow_id)
        if stage_id is not None:
            check_part("stage_id", stage_id)
        if agent_id is not None:
            check_part("agent_id", agent_id)
            if stage_id is None:
                raise InvalidId("agent_id", agent_id, "an agent needs a stage_id")
        return tuple.__new__(cls, (workflow_id, stage_id, agent_id))

    @classmethod
    def _make(cls, iterable: Iterable[Any]) -> Self:  # type: ignore[override]
        """Return the scope of these parts, checked as in `__new__`; `_replace` goes through it."""
        return cls(*iterable)

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Return the scope whose text form is *text*; raises `InvalidId`."""
        parts = text.split("/") if type(text) is str else []
        if not 1 <= len(parts) <= 3:
            raise InvalidId(
                "scope", text, f"it must read workflow, workflow/stage or w/stage/agent; {ENCODED}"
            )
        kinds = ("workflow_id", "stage_id", "agent_id")
        return cls(*(unescape_part(kind, part) for kind, part in zip(kinds, parts, strict=False)))

    @classmethod
    def within(cls, workflow_id: str, key: str) -> Scope:
        """Return the scope of a workflow whose `key` that is."""
        parts = key.split("/") if key else []
        if len(parts) > 2:
            raise InvalidId("scope", key, "it must read stage or stage/agent")
        return cls(workflow_id, *(unescape_part("scope", part) for part in parts))

    @property
    def kind(self) -> ScopeKind:
        """Whether it is a ``"workflow"``, a ``"stage"`` or an ``"agent"``."""
        if self.stage_id is None:
            return "workflow"
        return "stage" if self.agent_id is None else "agent"

    @property
    def key(self) -> str:
        """The text form within the workflow: ``""``, ``"stage"`` or ``"stage/agent"``."""
        if self.stage_id is None:
            return ""
        if self.agent_id is None:
            return escape_part(self.stage_id)
        return f"{escape_part(self.stage_id)}/{escape_part(self.agent_id)}"

    @property
    def workflow(self) -> Scope:
        """The scope of its workflow."""
        return self if self.stage_id is None else Scope(self.workflow_id)

    @property
    def lineage(self) -> tuple[Scope, ...]:
        """Itself and the scopes around it, the innermost first."""
        if self.stage_id is None:
            return (self,)
        if self.agent_id is None:
            return (self, Scope(self.workflow_id))
        return (self, Scope(self.workflow_id, self.stage_id), Scope(self.workflow_id))

    def encloses(self, other: Scope) -> bool:
        """Whether *other* is strictly inside this scope."""
        if other.workflow_id != self.workflow_id or other == self:
            return False
        if self.stage_id is None:
            return True
        return self.agent_id is None and other.stage_id == self.stage_id

    def __str__(self) -> str:
        workflow = escape_part(self.workflow_id)
        return workflow if self.stage_id is None else f"{workflow}/{self.key}"
