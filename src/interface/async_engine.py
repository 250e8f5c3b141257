"""An engine for asyncio programs: the synchronous one, with whatever waits done in threads."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Generator, Mapping
from datetime import timedelta
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Literal,
    ParamSpec,
    Self,
    TypeVar,
    cast,
    overload,
)

from ..application.queries.plan_recovery import RecoveryPlan
from ..application.runs.flow import Flow
from ..application.runs.recover import plan, recover
from ..application.runs.recovery_result import RecoveryResult
from ..application.runs.start import enter_or_replay
from ..domain.checkpoint import DEFAULT_MAX_RETRIES
from ..domain.json_value import JsonObject, JsonValue
from .async_run import AsyncRun
from .drivers.async_driver import AsyncDriver
from .engine import Engine
from .kernel import Kernel
from .orders import enter_order, recover_order
from .registry import Registry
from .targets import Target

if TYPE_CHECKING:
    from ..application.retention.reports import PurgeReport
    from .purge_schedule import PurgeSchedule

P = ParamSpec("P")
T = TypeVar("T")


def _in_thread(
    method: Callable[Concatenate[Engine, P], T],
) -> Callable[Concatenate[AsyncEngine, P], Coroutine[Any, Any, T]]:
    """Return the coroutine method that waits for a method of `Engine`."""

    @functools.wraps(method)
    async def call(self: AsyncEngine, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._driver.with_store(lambda: method(self._engine, *args, **kwargs))

    return cast("Callable[Concatenate[AsyncEngine, P], Coroutine[Any, Any, T]]", call)


def _performed(
    method: Callable[Concatenate[Engine, P], T],
) -> Callable[Concatenate[AsyncEngine, P], Coroutine[Any, Any, T]]:
    """Return the coroutine method that awaits the one flow that a method of `Engine` performs."""

    @functools.wraps(method)
    async def call(self: AsyncEngine, *args: P.args, **kwargs: P.kwargs) -> T:
        flow = cast("Flow[T]", method(self._flows, *args, **kwargs))
        return await self._driver.run(flow)

    return cast("Callable[Concatenate[AsyncEngine, P], Coroutine[Any, Any, T]]", call)


class _HandsOver:
    """Stands where a driver does, and hands flows over to whoever performs them by awaiting."""

    def run(self, flow: Flow[T]) -> Flow[T]:
        """Return the flow as it is."""
        return flow


class _Flows(Engine):
    """An engine whose methods return what they would perform."""

    _driver = _HandsOver()  # type: ignore[assignment]


class AsyncEngine:
    """Checkpoints and recovery on one store, for asyncio; the same methods as `Engine`, awaited.

    Made by `holdfast.open_async`. May be used from many tasks of one loop. A call that is cancelled
    may have saved, never half.

    >>> import asyncio, holdfast
    >>> async def main():
    ...     async with holdfast.open_async("memory:") as engine:
    ...         saved = await engine.checkpoint("nightly", state={"done": 3})
    ...         return str(saved.id), (await engine.context("nightly")).workflow_state
    >>> asyncio.run(main())
    ('nightly@1', {'done': 3})
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._engine = Engine(kernel)
        self._flows = _Flows(kernel)
        self._driver = AsyncDriver(kernel)
        self.handler = self._engine.handler
        self.workflow = self._engine.workflow

    @property
    def target(self) -> str:
        """What was opened, as text that opens it again."""
        return self._engine.target

    @property
    def registry(self) -> Registry:
        """The handlers that can run here."""
        return self._engine.registry

    checkpoint = _performed(Engine.checkpoint)
    start = _performed(Engine.start)
    complete = _in_thread(Engine.complete)
    fail = _in_thread(Engine.fail)
    heartbeat = _in_thread(Engine.heartbeat)
    answer = _in_thread(Engine.answer)
    cancel = _in_thread(Engine.cancel)
    retry = _in_thread(Engine.retry)
    fork = _in_thread(Engine.fork)
    purge = _in_thread(Engine.purge)
    consolidate = _in_thread(Engine.consolidate)
    delete = _in_thread(Engine.delete)
    retain = _in_thread(Engine.retain)
    export_to = _in_thread(Engine.export_to)
    import_from = _in_thread(Engine.import_from)
    get = _in_thread(Engine.get)
    latest = _in_thread(Engine.latest)
    list = _in_thread(Engine.list)
    workflows = _in_thread(Engine.workflows)
    context = _in_thread(Engine.context)
    diff = _in_thread(Engine.diff)
    outline = _in_thread(Engine.outline)
    stale = _in_thread(Engine.stale)
    attempts = _in_thread(Engine.attempts)
    events = _in_thread(Engine.events)
    verify = _in_thread(Engine.verify)
    backup = _in_thread(Engine.backup)
    stats = _in_thread(Engine.stats)
    in_force = _in_thread(Engine.in_force)

    def purge_every(
        self,
        interval: timedelta,
        *,
        on_report: Callable[[PurgeReport], object] | None = None,
    ) -> PurgeSchedule:
        """Purge by the policy in the background, in a thread; see `Engine.purge_every`."""
        return self._engine.purge_every(interval, on_report=on_report)

    def run(
        self,
        workflow_id: str,
        *,
        name: str | None = None,
        handler: str | None = None,
        input: JsonValue = None,
        state: JsonObject | None = None,
        metadata: Mapping[str, JsonValue] | None = None,
        max_retries: int = DEFAULT_MAX_RETRIES,
        lease: float | None = None,
        silence: float | None = None,
        retention_days: float | None = None,
        retention_count: int | None = None,
    ) -> RunOpening:
        """Return what gives an `AsyncRun` when it is entered or awaited; see `Engine.run`."""
        command = enter_order(
            self._kernel,
            workflow_id,
            name=name,
            handler=handler,
            input=input,
            state=state,
            metadata=metadata,
            max_retries=max_retries,
            lease=lease,
            silence=silence,
            retention_days=retention_days,
            retention_count=retention_count,
        )

        async def open_run() -> AsyncRun:
            session = await self._driver.run(enter_or_replay(self._kernel.attempts, command))
            return AsyncRun(session, self._driver)

        return RunOpening(open_run)

    @overload
    async def recover(
        self,
        id_or_workflow: Target | None = None,
        *,
        workflow_id: str | None = None,
        handler: str | None = None,
        timeout: float | None = None,
        force: bool = False,
        strict: bool = False,
        explain: Literal[False] = False,
    ) -> RecoveryResult: ...
    @overload
    async def recover(
        self,
        id_or_workflow: Target | None = None,
        *,
        workflow_id: str | None = None,
        handler: str | None = None,
        timeout: float | None = None,
        force: bool = False,
        strict: bool = False,
        explain: Literal[True],
    ) -> RecoveryPlan: ...
    async def recover(
        self,
        id_or_workflow: Target | None = None,
        *,
        workflow_id: str | None = None,
        handler: str | None = None,
        timeout: float | None = None,
        force: bool = False,
        strict: bool = False,
        explain: bool = False,
    ) -> RecoveryResult | RecoveryPlan:
        """Carry a workflow on; see `Engine.recover`."""
        command = recover_order(
            self._kernel,
            id_or_workflow,
            workflow_id=workflow_id,
            handler=handler,
            timeout=timeout,
            force=force,
            strict=strict,
        )
        kit, registry = self._kernel.attempts, self._kernel.registry
        if explain:
            return await self._driver.run(plan(kit, command, registry))
        return await self._driver.run(recover(kit, command, registry))

    async def close(self) -> None:
        """Give up the leases of runs that are still open, wait for what was accepted, let go."""
        await self._driver.with_store(self._engine.close)
        self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class RunOpening:
    """A run about to be opened: enter it with ``async with``, or await it."""

    def __init__(self, open_run: Callable[[], Coroutine[Any, Any, AsyncRun]]) -> None:
        self._open_run = open_run
        self._run: AsyncRun | None = None

    def __await__(self) -> Generator[Any, None, AsyncRun]:
        return self._open_run().__await__()

    async def __aenter__(self) -> AsyncRun:
        self._run = await self._open_run()
        return await self._run.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._run is not None:
            await self._run.__aexit__(kind, error, traceback)
