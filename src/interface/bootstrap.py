"""Puts an engine together: the only file that names adapters."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..application.dispatcher import Dispatcher
from ..application.environment import BackOff, Environment
from ..application.redaction import Redact
from ..domain.errors import InvalidRequest
from ..domain.ports import Clock, Host, Journal, Store
from ..domain.ports.processes import Process, ProcessOrder, SignsOfLife
from ..domain.retention import Retention
from ..domain.run_handover import RunHandover, handed_over
from ..domain.wording import near_names
from ..infrastructure.clock import SystemClock
from ..infrastructure.host import LocalHost
from ..infrastructure.json_codec import JsonCodec
from ..infrastructure.randomness import SystemRandomness
from .arguments import retention_of
from .forking import survive_forks
from .keepers import Keepers
from .kernel import Kernel
from .log import LOGGER_METHODS, Log, Logger, LogTarget
from .registry import Registry
from .settings import Settings

if TYPE_CHECKING:
    from ..infrastructure.export_file.lines import Line, LineWriter

DURABILITIES = ("power", "process")

_JSON = "json:"


def make_kernel(
    target: str | os.PathLike[str],
    *,
    registry: Registry | None = None,
    durability: str = "power",
    settings: Settings | Mapping[str, float] | None = None,
    retention: Retention | None = None,
    clock: Clock | None = None,
    upgrade: bool = True,
    create: bool = True,
    log: LogTarget | None = None,
    log_lines: Callable[[str], None] | None = None,
    redact: Redact | None = None,
) -> Kernel:
    """Return what an engine on *target* stands on.

    Args:
        target: a path, ``sqlite:///PATH``, ``json:FOLDER`` or ``memory:``.
        upgrade: bring the store's schema up to date; otherwise it is not changed by opening it.
        create: make the store if there is none and it is opened to be upgraded.
        log_lines: takes the lines of a log that would go to standard error.
        redact: what takes secrets out of metadata and errors; by default the registry's.
    """
    settings, retention = Settings.of(settings), retention_of(retention)
    codec = JsonCodec(settings.max_state_bytes)
    registry = registry if registry is not None else Registry()
    clock, host = clock or SystemClock(), LocalHost()
    journal = _make_journal(log, clock, host, log_lines)
    store = _open_store(
        os.fspath(target), codec, durability, settings, upgrade=upgrade, create=create
    )
    if journal is not None:
        store = _announcing(store, journal)
    env = Environment(
        clock,
        host,
        SystemRandomness(),
        BackOff(settings.back_off_base, settings.back_off_cap),
        settings.max_attempts,
    )
    dispatcher = Dispatcher(store, env, redact if redact is not None else registry.redact)
    keepers = Keepers(dispatcher)
    survive_forks(store, keepers)
    handover = _handover_for(store)
    return Kernel(
        store,
        dispatcher,
        keepers,
        codec,
        registry,
        settings,
        _Processes(),
        durability,
        handover,
        _signs(handover),
        journal=journal,
        retention=retention,
        log=Log(form=log) if isinstance(log, str) else log if isinstance(log, Log) else None,
    )


class _Processes:
    """Starts processes of their own; what that takes is imported when one is started."""

    def start(self, order: ProcessOrder) -> Process:
        from ..infrastructure.processes.own_process import LocalProcesses

        return LocalProcesses().start(order)


def _handover_for(store: Store) -> RunHandover | None:
    """Return what the run that this process is a child of handed over, if it is of this store."""
    handover = handed_over(os.environ)
    return handover if handover is not None and handover.store == store.target else None


def _signs(handover: RunHandover | None) -> SignsOfLife | None:
    if handover is None or handover.signs is None:
        return None
    from ..infrastructure.processes.signs import SignSender

    return SignSender(handover.signs)


def _make_journal(
    log: LogTarget | None,
    clock: Clock,
    host: Host,
    lines: Callable[[str], None] | None = None,
) -> Journal | None:
    """Return what writes the log; ``None``, and nothing is loaded for it, when there is none."""
    if log is None:
        return None
    if isinstance(log, str):
        log = Log(form=log)
    if not isinstance(log, Log):
        return _journal_of(log, clock, host)
    if log.level == "off":
        return None
    from ..infrastructure.journal import structlog_journal

    try:
        return structlog_journal(
            clock,
            host,
            level=log.level,
            form=log.form,
            file=log.file,
            write=lines,
            error_messages=log.error_messages,
        )
    except OSError as error:
        raise InvalidRequest(
            f"the log cannot be written to {log.file}: {error.strerror}"
        ) from error


def _journal_of(logger: Logger, clock: Clock, host: Host) -> Journal:
    if not all(callable(getattr(logger, each, None)) for each in LOGGER_METHODS):
        raise InvalidRequest(
            f"log is {type(logger).__name__}; give a holdfast.Log, its form, or a logger"
        )
    from ..infrastructure.journal import LoggerJournal

    return LoggerJournal(logger, clock, host)


def _announcing(store: Store, journal: Journal) -> Store:
    from ..application.announcing_store import AnnouncingStore

    return AnnouncingStore(store, journal)


def _open_store(
    target: str,
    codec: JsonCodec,
    durability: str,
    settings: Settings,
    *,
    upgrade: bool,
    create: bool,
) -> Store:
    if durability not in DURABILITIES:
        raise InvalidRequest(f"durability is {' or '.join(DURABILITIES)}, not {durability!r}")
    if target == "memory:":
        from ..infrastructure.memory import MemoryStore

        return MemoryStore(codec)
    if target.startswith(_JSON):
        from ..infrastructure.json_files.store import JsonFileStore

        return JsonFileStore.open(
            _path(target.removeprefix(_JSON)),
            codec,
            write_timeout=settings.write_timeout,
            upgrade=upgrade,
            create=create,
        )
    from ..infrastructure.sqlite.store import SqliteStore

    return SqliteStore.open(
        _path(target),
        codec,
        durability="power" if durability == "power" else "process",
        write_timeout=settings.write_timeout,
        upgrade=upgrade,
        create=create,
    )


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A store whose schema is up to date, and what it was before."""

    store: str
    found_schema: int
    schema: int


def upgrade_store(target: str | os.PathLike[str]) -> Upgraded:
    """Bring the schema of a store that is there up to date; say what it was and what it is.

    Raises:
        StorageUnavailable: there is no store.
        SchemaTooNew: it was written by a newer version of Holdfast; it was not touched.
    """
    if os.fspath(target) == "memory:":
        raise InvalidRequest("a store in memory has nothing to upgrade; name a file")
    if os.fspath(target).startswith(_JSON):
        return _upgrade_files(os.fspath(target))
    from ..infrastructure.sqlite.format import SCHEMA
    from ..infrastructure.sqlite.store import SqliteStore

    store = SqliteStore.open(_path(os.fspath(target)), JsonCodec(), create=False)
    store.close()
    return Upgraded(store.target, store.found_schema, SCHEMA)


def _upgrade_files(target: str) -> Upgraded:
    """Return that there is nothing to do: documents are brought up to date when they are read."""
    from ..infrastructure.json_files.documents import SCHEMA
    from ..infrastructure.json_files.store import JsonFileStore

    store = JsonFileStore.open(_path(target.removeprefix(_JSON)), JsonCodec(), create=False)
    store.close()
    return Upgraded(store.target, SCHEMA, SCHEMA)


# Of two letters at least: what has one is a drive.
_SCHEME = re.compile(r"[a-z]{2,8}:(?!//)")


def _path(target: str) -> Path:
    path = target.removeprefix("sqlite:///")
    if not path or "\0" in path:
        raise InvalidRequest(f"{target!r} does not name a store; give a path, or memory:")
    scheme = _SCHEME.match(path)
    if (path == target and "://" in target) or (scheme and not Path(path).exists()):
        near = near_names(scheme[0], [_JSON, "sqlite:///", "memory:"]) if scheme else ()
        if near == (_JSON,) and scheme is not None:
            raise InvalidRequest(
                f"{target!r} is not a target that this version knows; did you mean "
                f"{_JSON}{path.removeprefix(scheme[0])}? json:FOLDER is a store of JSON files"
            )
    if path == target and "://" in target:
        raise InvalidRequest(
            f"{target!r} is not a target that this version knows; give a path, sqlite:///PATH, "
            "json:FOLDER or memory:"
        )
    return Path(path)


_SQLITE, _JSON, _MEMORY = "sqlite:///", "json:", "memory:"


def names_store(place: str) -> bool:
    """Whether *place*, where an export goes or comes from, is a store; else it is a file of lines.

    Raises:
        InvalidRequest: it is a store in memory, which nobody but its engine can see.
    """
    if place == _MEMORY:
        raise InvalidRequest("a store in memory is seen by its engine alone; give the engine")
    return place.startswith((_SQLITE, _JSON)) or Path(place).suffix in _STORE_SUFFIXES


_STORE_SUFFIXES = (".db", ".sqlite", ".sqlite3")


def place_of(target: str) -> Path | None:
    """Return the file or the folder of a store; ``None`` for one in memory."""
    return None if target == _MEMORY else _path(target.removeprefix(_JSON)).absolute()


@contextmanager
def new_store(target: str) -> Iterator[Store]:
    """Give a store that nobody else sees; at the end of the block it is at *target*, or nothing is.

    Raises:
        TargetExists: something is there.
    """
    from ..infrastructure.export_file.placing import made_beside

    kind = _JSON if target.startswith(_JSON) else _SQLITE
    with made_beside(_path(target.removeprefix(_JSON)).absolute()) as partial:
        # One sync, when it is whole, is enough.
        store = _open_store(
            f"{kind}{partial}", unlimited_codec(), "process", Settings(), upgrade=True, create=True
        )
        try:
            yield store
        finally:
            store.close()


@contextmanager
def open_source(target: str) -> Iterator[Store]:
    """Give a store that is there, to be read; opening it changes nothing of it."""
    store = _open_store(target, unlimited_codec(), "power", Settings(), upgrade=False, create=False)
    try:
        yield store
    finally:
        store.close()


def unlimited_codec() -> JsonCodec:
    """Return a codec for what was taken by a store before, whatever limit that had."""
    return JsonCodec(_NO_LIMIT)


_NO_LIMIT = 1 << 40


def writing_export(target: str) -> AbstractContextManager[LineWriter]:
    """Return what gives the writer of an export to a new file, or, for ``-``, standard output."""
    from ..infrastructure.export_file.files import writing

    return writing(target)


def reading_export(
    source: str,
) -> AbstractContextManager[Callable[[], Iterator[Line]]]:
    """Return what gives the lines of an export, from their beginning at each call."""
    from ..infrastructure.export_file.files import reading

    return reading(source)
