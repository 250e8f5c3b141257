"""The name of a checkpoint, as a value, as text and as a path."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, NamedTuple, NoReturn, Self

from .advice import ENCODED
from .errors import InvalidId
from .name_part import file_name
from .scope import Scope
from .wording import shorten

MAX_SEQUENCE = 2**63 - 1


class _Parts(NamedTuple):
    workflow_id: str
    stage_id: str | None
    agent_id: str | None
    sequence: int


class CheckpointId(_Parts):
    """The name of a checkpoint: its scope and a sequence number of its workflow.

    ``sequence`` is positive, strictly increasing within a workflow, and never given out again once
    acknowledged. Text form and value stand for each other, one to one:

    >>> checkpoint_id = CheckpointId("release/42", "load", "eu@west", 7)
    >>> str(checkpoint_id)
    'release%2F42/load/eu%40west@7'
    >>> CheckpointId.parse(str(checkpoint_id)) == checkpoint_id
    True
    """

    __slots__ = ()

    def __new__(
        cls, workflow_id: str, stage_id: str | None, agent_id: str | None, sequence: int
    ) -> Self:
        """Return the id of these parts; raises `InvalidId`."""
        return cls.of(Scope(workflow_id, stage_id, agent_id), sequence)

    @classmethod
    def of(cls, scope: Scope, sequence: int) -> Self:
        """Return the id of the checkpoint of *scope* with that *sequence*."""
        if type(sequence) is not int or not 1 <= sequence <= MAX_SEQUENCE:
            raise InvalidId("sequence", sequence, "it must be a positive 64-bit integer")
        return tuple.__new__(cls, (*scope, sequence))

    @classmethod
    def _make(cls, iterable: Iterable[Any]) -> Self:  # type: ignore[override]
        """Return the id of these parts, checked as in `__new__`; `_replace` goes through it."""
        return cls(*iterable)

    @classmethod
    def parse(cls, text: str) -> CheckpointId:
        """Return the id whose text form is *text*; raises `InvalidId`."""
        if type(text) is not str:
            _refuse(text)
        scope, at, digits = text.rpartition("@")
        if not at or not (digits.isascii() and digits.isdigit()) or digits.startswith("0"):
            _refuse(text)
        if len(digits) > len(str(MAX_SEQUENCE)):
            raise InvalidId("sequence", digits, "it must be a positive 64-bit integer")
        try:
            return cls.of(Scope.parse(scope), int(digits))
        except InvalidId as error:
            raise InvalidId(error.what, error.value, f"{error.rule} (in {shorten(text)})") from None

    @property
    def scope(self) -> Scope:
        """The scope that the checkpoint belongs to."""
        return tuple.__new__(Scope, self[:3])  # its parts were checked

    @property
    def path(self) -> PurePosixPath:
        """Return the path form: a folder a part, then ``@`` and the sequence, zero-padded.

        Safe on Linux, macOS and Windows and never outside the folder it is put into. The full id
        is not to be read back from it: long and unusual names are shortened to a digest.

        >>> CheckpointId("nightly", "load", None, 7).path
        PurePosixPath('nightly/load/@000000000007')
        """
        parts = (self.workflow_id, self.stage_id, self.agent_id)
        folders = [file_name(part) for part in parts if part is not None]
        return PurePosixPath(*folders, f"@{self.sequence:012d}")

    def __str__(self) -> str:
        return f"{self.scope}@{self.sequence}"


def parse_target(text: str) -> CheckpointId | Scope:
    """Return what *text* names: a checkpoint (``"wf/stage@3"``) or a workflow (``"wf"``).

    Raises `InvalidId` for anything else, a stage or an agent without a sequence included.
    """
    if type(text) is str and "@" in text:
        return CheckpointId.parse(text)
    scope = Scope.parse(text)
    if scope.kind != "workflow":
        raise InvalidId(
            "id", text, f"name a workflow, or a checkpoint with its @sequence; {ENCODED}"
        )
    return scope


def _refuse(text: object) -> NoReturn:
    raise InvalidId(
        "checkpoint id",
        text,
        f"it must read workflow@1, workflow/stage@1 or workflow/stage/agent@1; {ENCODED}",
    )
