"""How an engine's log is written, where it is written at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from ..domain.errors import InvalidRequest
from ..domain.wording import known_names
from .log_words import FORMS, LEVELS

LOGGER_METHODS = ("debug", "info", "warning", "error")


class Logger(Protocol):
    """What lines can be handed to: a logger of structlog, with whatever processors it has."""

    def debug(self, event: str, /, **fields: Any) -> Any: ...  # noqa: D102
    def info(self, event: str, /, **fields: Any) -> Any: ...  # noqa: D102
    def warning(self, event: str, /, **fields: Any) -> Any: ...  # noqa: D102
    def error(self, event: str, /, **fields: Any) -> Any: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Log:
    """How an engine's log is written.

    Attributes:
        level: the least that is written: ``debug`` (each checkpoint too), ``info`` (each
            transition), ``warning``, ``error``, or ``off``.
        form: ``json`` for one JSON object a line, ``console`` for people; ``auto`` is ``console``
            on a terminal and ``json`` elsewhere.
        file: appended to; ``None`` for standard error. Made readable by its owner only.
        error_messages: write the messages of errors too, and not only their types: they may hold
            what the program works on.

    >>> Log(level="debug", form="json").file is None
    True
    """

    level: str = "info"
    form: str = "auto"
    file: str | None = None
    error_messages: bool = False

    def __post_init__(self) -> None:
        for name, known in (("level", LEVELS), ("form", FORMS)):
            value = getattr(self, name)
            if value not in known:
                raise InvalidRequest(
                    f"there is no log {name} {value!r} ({known_names(str(value), known)})"
                )


LogTarget: TypeAlias = Log | Logger | str
"""A `Log`, a form of it (``"json"``, ``"console"``), or a logger of the embedding program."""
