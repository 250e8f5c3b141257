"""What a configuration may hold: its keys, and what each of them may be.

Its defaults stand with `values`, which has the same names; a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from ...domain.errors import InvalidId
from ...domain.name_part import check_part
from ..duration import seconds_of
from ..log_words import FORMS, LEVELS

KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a value may be, in the words of a message."""

    text: str


def _seconds(value: Any) -> Any:
    return seconds_of(value) if isinstance(value, str) else value


def _cron(value: str) -> str:
    if len(re.findall(r"[0-9A-Za-z*,/?#-]+", value)) != 5 or len(value.split()) != 5:
        raise ValueError("not five fields")
    return value


def _no_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("a null character")
    return value


def _handler_name(value: str) -> str:
    try:
        return check_part("handler name", value)
    except InvalidId as error:
        raise ValueError(error.rule) from error


_DURATION = 'a duration: seconds, or a text such as "30s", "5 min", "7d"'
_Finite = Annotated[float, BeforeValidator(_seconds), Field(allow_inf_nan=False)]
Duration = Annotated[_Finite, Field(gt=0), Allowed(f"{_DURATION}; more than 0")]
Pause = Annotated[_Finite, Field(ge=0), Allowed(f"{_DURATION}; 0 or more")]
Days = Annotated[
    float, Field(ge=0, allow_inf_nan=False), Allowed("a number of days, such as 30; 0 or more")
]
Count = Annotated[int, Field(ge=0, lt=2**63), Allowed("a whole number, 0 or more")]
Number = Annotated[int, Field(ge=1, lt=2**63), Allowed("a whole number, 1 or more")]
Flag = Annotated[bool, Allowed("true or false")]
Text = Annotated[str, Field(min_length=1), AfterValidator(_no_nul), Allowed("a text, not empty")]
Program = Annotated[
    str,
    Field(pattern=r"^[^:\s]+:[^:\s]+$"),
    Allowed('a text that reads MODULE:ATTRIBUTE, such as "crew:app"'),
]
Cron = Annotated[
    str,
    AfterValidator(_cron),
    Allowed('a cron expression of five fields, such as "0 3 * * *" (each night at three)'),
]
Command = Annotated[
    list[Annotated[str, AfterValidator(_no_nul)]],
    Field(min_length=1),
    Allowed('a list of texts, the program first, such as ["bin/publish", "--quick"]'),
]


def _one_of(names: tuple[str, ...]) -> Allowed:
    return Allowed("one of " + ", ".join(f'"{each}"' for each in names))


DURABILITIES = ("power", "process")
Durability = Annotated[Literal["power", "process"], _one_of(DURABILITIES)]
Level = Annotated[Literal["debug", "info", "warning", "error", "off"], _one_of(LEVELS)]
Form = Annotated[Literal["auto", "json", "console"], _one_of(FORMS)]

_strictly = with_config(ConfigDict(extra="forbid", strict=True))


@_strictly
class EngineTable(TypedDict, total=False):
    """The table ``[engine]``."""

    write_timeout: Pause
    max_state_bytes: Number
    lease: Duration
    silence: Duration
    back_off_base: Pause
    back_off_cap: Pause
    grace: Pause
    max_attempts: Number


@_strictly
class RetentionTable(TypedDict, total=False):
    """The table ``[retention]``."""

    days: Days
    count: Count


@_strictly
class CircuitTable(TypedDict, total=False):
    """The table ``[supervise.circuit]``."""

    failures: Number
    window: Duration
    pause: Duration
    successes: Number


@_strictly
class SuperviseTable(TypedDict, total=False):
    """The table ``[supervise]``."""

    interval: Duration
    at_once: Number
    purge_every: Duration
    purge_at: Cron
    grace: Pause
    circuit: CircuitTable


@_strictly
class LogTable(TypedDict, total=False):
    """The table ``[log]``."""

    level: Level
    form: Form
    file: Text
    error_messages: Flag


@_strictly
class HandlerTable(TypedDict, total=False):
    """A table ``[handlers.NAME]``."""

    command: Command
    timeout: Duration


@_strictly
class FileTable(TypedDict, total=False):
    """The whole."""

    store: Text
    app: Program
    durability: Durability
    json: Flag
    verbose: Flag
    engine: EngineTable
    retention: RetentionTable
    supervise: SuperviseTable
    log: LogTable
    handlers: dict[Annotated[str, AfterValidator(_handler_name)], HandlerTable]


TABLES: dict[KeyPath, type] = {
    (): FileTable,
    ("engine",): EngineTable,
    ("retention",): RetentionTable,
    ("supervise",): SuperviseTable,
    ("supervise", "circuit"): CircuitTable,
    ("log",): LogTable,
}


def table_at(path: KeyPath) -> type | None:
    """Return the table at *path*, if that is one with keys of its own."""
    if len(path) == 2 and path[0] == "handlers":
        return HandlerTable
    return TABLES.get(path)


def keys_of(table: type) -> dict[str, Any]:
    """Return the keys of a table with the types of their values."""
    return get_type_hints(table, include_extras=True)


def every_key() -> Iterator[tuple[KeyPath, Any]]:
    """Iterate over the keys that have a value of their own, handlers aside, with its type."""
    for path, table in TABLES.items():
        for name, kind in keys_of(table).items():
            if (*path, name) not in TABLES and name != "handlers":
                yield (*path, name), kind


def allowed_at(path: KeyPath) -> str:
    """Return what may stand at *path*, in words."""
    table = table_at(path)
    if table is not None:
        return f"a table with the keys {', '.join(keys_of(table))}"
    if path == ("handlers",):
        return "tables [handlers.NAME] with the keys command, timeout"
    holder = table_at(path[:-1])
    kind = keys_of(holder).get(path[-1]) if holder is not None else None
    found = [each for each in getattr(kind, "__metadata__", ()) if isinstance(each, Allowed)]
    return found[-1].text if found else "nothing"
