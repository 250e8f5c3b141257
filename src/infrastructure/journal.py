"""The journal as lines of structlog, without touching what the host has set up.

Loggers are made with processors of their own: nothing is read from structlog's configuration and
nothing is written to it, and the standard library's logging is not used.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from typing import Any

from ..domain.events import DomainEvent, EventKind
from ..domain.json_value import JsonValue
from ..domain.ports import Clock, Host
from ..domain.ports.journal import JournalLevel

_LEVELS: Mapping[EventKind, JournalLevel] = {
    EventKind.CREATED: "debug",
    EventKind.FOUND_STALE: "warning",
    EventKind.FAILED: "warning",
    EventKind.TIMED_OUT: "warning",
    EventKind.KILLED: "warning",
    EventKind.WRITE_REFUSED: "warning",
    EventKind.FELL_BACK: "error",
}

# What an event's detail may bring into a line; nothing else does, numbers aside: details are small,
# and kept from holding states, but logs go to other places than stores.
_TOLD = {"attempt", "because", "damaged", "handler", "intact", "message", "name", "owner"}
_TOLD |= {"reason", "type", "until"}
# Where what an error says begins, in the reasons of kills.
_MESSAGE = re.compile(r"; | \(")


class LoggerJournal:
    """A journal that hands its lines to a logger."""

    def __init__(
        self,
        logger: Any,
        clock: Clock,
        host: Host,
        *,
        wants_saves: bool = True,
        error_messages: bool = False,
    ) -> None:
        self.wants_saves = wants_saves
        self._logger = logger
        self._clock = clock
        self._host = host
        self._error_messages = error_messages

    def tell(self, events: Sequence[DomainEvent]) -> None:
        """Write a line for each event."""
        for event in events:
            self._write(
                _level_of(event),
                event.kind.value,
                timestamp=_text(event.at),
                actor=str(self._host.owner()),
                workflow_id=event.workflow_id,
                checkpoint_id=str(event.checkpoint_id) if event.checkpoint_id else None,
                epoch=event.epoch,
                correlation_id=event.correlation_id,
                **self._details(event),
            )

    def say(self, event: str, *, level: JournalLevel = "info", **fields: JsonValue) -> None:
        """Write a line that no event of a workflow stands behind."""
        at = _text(self._clock.moment().wall)
        self._write(level, event, timestamp=at, actor=str(self._host.owner()), **fields)

    def _write(self, level: JournalLevel, event: str, **fields: Any) -> None:
        with suppress(Exception):  # it has happened, whether it can be told or not
            getattr(self._logger, level)(event, **fields)

    def _details(self, event: DomainEvent) -> dict[str, JsonValue]:
        told: dict[str, JsonValue] = {}
        for key, value in event.detail.items():
            if key == "error" and isinstance(value, str):
                told[key] = value if self._error_messages else value.partition(":")[0]
            elif key == "reason" and isinstance(value, str) and not self._error_messages:
                told[key] = _MESSAGE.split(value)[0]
            elif key in _TOLD or type(value) in (int, bool):
                told[key] = value
        return told


def structlog_journal(
    clock: Clock,
    host: Host,
    *,
    level: str,
    form: str,
    file: str | None,
    write: Callable[[str], None] | None = None,
    error_messages: bool,
) -> LoggerJournal:
    """Return a journal that writes lines to a file, or to *write*, or to standard error.

    Args:
        level: the least that is written.
        form: ``json``, ``console``, or ``auto``: the second on a terminal, else the first.
    """
    import structlog

    lines = _Lines(file, write)
    if form == "auto":
        form = "console" if lines.is_terminal else "json"
    renderer: Any = structlog.processors.JSONRenderer()
    if form == "console":
        colours = lines.is_terminal and not os.environ.get("NO_COLOR")
        renderer = structlog.dev.ConsoleRenderer(
            colors=colours, exception_formatter=structlog.dev.plain_traceback
        )
    processors = [structlog.processors.add_log_level, _in_order]
    if form == "console":
        processors.append(_printable)
    # By hand: structlog.wrap_logger would take what is not given from the host's configuration.
    bound: Any = structlog.make_filtering_bound_logger(level)
    logger = bound(lines, [*processors, renderer], {})
    return LoggerJournal(
        logger, clock, host, wants_saves=level == "debug", error_messages=error_messages
    )


class _Lines:
    """Writes each line whole: those of several threads and processes do not mix."""

    def __init__(self, file: str | None, write: Callable[[str], None] | None = None) -> None:
        self._write = write
        self._descriptor: int | None = None
        if file is not None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
            self._descriptor = os.open(file, flags, 0o600)

    @property
    def is_terminal(self) -> bool:
        if self._descriptor is not None or self._write is not None:
            return False
        return sys.stderr is not None and sys.stderr.isatty()

    def debug(self, line: str) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, f"{line}\n".encode("utf-8", "backslashreplace"))
        elif self._write is not None:
            self._write(line)
        elif sys.stderr is not None:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    info = warning = error = debug

    def __del__(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


def _in_order(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> dict[str, Any]:
    first = {key: line[key] for key in ("timestamp", "level", "event") if key in line}
    return first | dict(line)


def _printable(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> dict[str, Any]:
    """Show what would steer the terminal instead of doing it."""
    return {
        key: value if not isinstance(value, str) or value.isprintable() else ascii(value)
        for key, value in line.items()
    }


def _level_of(event: DomainEvent) -> JournalLevel:
    if event.kind is EventKind.KILLED and event.checkpoint_id and not event.checkpoint_id.stage_id:
        return "error"  # the workflow itself: nobody carries it on any more
    return _LEVELS.get(event.kind, "info")


def _text(at: Any) -> str:
    return str(at.isoformat(timespec="microseconds"))
