"""What is kept of an exception."""

from __future__ import annotations

from dataclasses import dataclass

_MAX_TYPE = 200
_MAX_MESSAGE = 4_000
_MAX_TRACEBACK = 16_000


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """What is kept of an exception: bounded, and text only.

    Attributes:
        type: the qualified name of its class, at most 200 characters.
        message: at most 4,000 characters, cut at the end.
        traceback: at most 16,000 characters, cut at the beginning: the end tells most.

    >>> ErrorRecord.of(ValueError("no luck")).summary
    'ValueError: no luck'
    """

    type: str
    message: str
    traceback: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", _legible(self.type)[:_MAX_TYPE])
        object.__setattr__(self, "message", _head(_legible(self.message), _MAX_MESSAGE))
        object.__setattr__(self, "traceback", _tail(_legible(self.traceback), _MAX_TRACEBACK))

    @classmethod
    def of(cls, error: BaseException) -> ErrorRecord:
        """Return the record of *error*, with its traceback and causes."""
        recorded = getattr(error, "recorded_as", None)
        if isinstance(recorded, cls):
            return recorded  # it was raised elsewhere, and this tells of it
        kind = type(error)
        module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        import traceback as traceback_module  # late: seldom needed, and slow to load

        try:
            message = str(error)
            lines = traceback_module.format_exception(error)
        except Exception as broken:  # noqa: BLE001 - a __str__ that raises must not hide the failure
            message = f"(its message could not be read: {type(broken).__name__})"
            lines = traceback_module.format_tb(error.__traceback__)
        return cls(f"{module}{kind.__qualname__}", message, "".join(lines))

    @property
    def summary(self) -> str:
        """The type and the message on one line."""
        message = " ".join(self.message.split())
        return f"{self.type}: {message}" if message else self.type


def _legible(text: str) -> str:
    # Lone surrogates (undecodable file names, say) cannot be stored as UTF-8.
    return text.encode("utf-8", "backslashreplace").decode()


def _head(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _tail(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"…{text[1 - limit :]}"
