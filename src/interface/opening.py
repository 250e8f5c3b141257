"""Opening an engine on a store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Generator, Mapping
from types import TracebackType
from typing import Any

from ..application.redaction import Redact
from ..domain.ports import Clock
from ..domain.retention import Retention
from .async_engine import AsyncEngine
from .bootstrap import make_kernel
from .engine import Engine
from .kernel import Kernel
from .log import LogTarget
from .registry import Registry
from .settings import Settings


def open(  # noqa: A001 - holdfast.open, as users write it
    target: str | os.PathLike[str],
    *,
    registry: Registry | None = None,
    durability: str = "power",
    settings: Settings | Mapping[str, float] | None = None,
    retention: Retention | None = None,
    clock: Clock | None = None,
    create: bool = True,
    log: LogTarget | None = None,
    redact: Redact | None = None,
) -> Engine:
    """Open a store, made and brought up to date where needed, and return an engine on it.

    Args:
        target: a path, ``sqlite:///PATH``, ``json:FOLDER`` or ``memory:``.
        registry: the handlers of the program; by default the engine makes one.
        durability: ``"power"``: what was acknowledged survives a power cut. ``"process"``: it
            survives the process, and a power cut loses at most a tail, never consistency.
        settings: `Settings`, or some of them by name, as ``{"lease": 20}``.
        retention: what `Engine.purge` keeps, where a workflow says nothing else: 30 days or the
            newest 1000, unless set.
        clock: where times come from; tests turn a `ManualClock`.
        create: make the store if there is none; ``False`` takes that for an error.
        log: `Log`, or its form (``"json"``, ``"console"``): a line for each transition. Or a logger
            of structlog, which gets them as events with fields. By default nothing is written; what
            the program has set up of ``logging`` and ``structlog`` is never touched.
        redact: ``redact(place, value)`` returns what is stored instead of a value of metadata
            (``"metadata.KEY"``), or a text of an error (``"error.message"``,
            ``"error.traceback"``); by default the registry's.

    Raises:
        NotAStore: there is something else.
        SchemaTooNew: the store was written by a newer version of Holdfast.
        StorageUnavailable: it cannot be opened or made.

    >>> with open("memory:", settings={"lease": 20}) as engine:
    ...     print(engine.checkpoint("nightly", state={"done": 3}).id)
    nightly@1
    """
    kernel = make_kernel(
        target,
        registry=registry,
        durability=durability,
        settings=settings,
        retention=retention,
        clock=clock,
        create=create,
        log=log,
        redact=redact,
    )
    return Engine(kernel)


def open_async(
    target: str | os.PathLike[str],
    *,
    registry: Registry | None = None,
    durability: str = "power",
    settings: Settings | Mapping[str, float] | None = None,
    retention: Retention | None = None,
    clock: Clock | None = None,
    create: bool = True,
    log: LogTarget | None = None,
    redact: Redact | None = None,
) -> AsyncOpening:
    """Open a store for asyncio: await what this returns, or enter it with ``async with``.

    The arguments are those of `open`.

    >>> async def main():
    ...     async with open_async("memory:") as engine:
    ...         return str((await engine.checkpoint("nightly")).id)
    >>> asyncio.run(main())
    'nightly@1'
    """

    def open_store() -> Kernel:
        return make_kernel(
            target,
            registry=registry,
            durability=durability,
            settings=settings,
            retention=retention,
            clock=clock,
            create=create,
            log=log,
            redact=redact,
        )

    return AsyncOpening(open_store)


class AsyncOpening:
    """An engine about to be opened: await it, or enter it with ``async with``."""

    def __init__(self, open_store: Callable[[], Kernel]) -> None:
        self._open_store = open_store
        self._engine: AsyncEngine | None = None

    def __await__(self) -> Generator[Any, None, AsyncEngine]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncEngine:
        self._engine = await self._open()
        return self._engine

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._engine is not None:
            await self._engine.close()

    async def _open(self) -> AsyncEngine:
        return AsyncEngine(await asyncio.to_thread(self._open_store))
