"""Performs flows by awaiting."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from ...application.runs.flow import (
    Call,
    Carry,
    Effect,
    Execute,
    Flow,
    Gather,
    Pause,
    Read,
    Settled,
)
from ...application.runs.session import carrying
from ...domain.errors import StoreClosed, TimedOut
from ..kernel import Kernel
from ..stopping import Stopping
from .daemon_threads import in_thread
from .sync_driver import SyncDriver
from .write_batches import WriteBatches

T = TypeVar("T")

# Threads that wait for the store. Plain functions of the user have threads of their own, so that
# slow ones do not keep checkpoints from being written.
_STORE_THREADS = 4


class AsyncDriver:
    """Performs flows on the running loop; what blocks is done in threads."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._store = ThreadPoolExecutor(_STORE_THREADS, "holdfast-store")
        self._writes = WriteBatches(kernel.dispatcher, self._store)
        self._closed = False

    async def run(self, flow: Flow[T]) -> T:
        """Perform *flow* to its end and return its result."""
        try:
            effect = next(flow)
            while True:
                try:
                    result = await self._perform(effect)
                except BaseException as error:  # noqa: BLE001 - the flow decides what becomes of it
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as end:
            value: T = end.value
            return value

    async def with_store(self, function: Callable[[], T]) -> T:
        """Call what waits for the store in a thread.

        When the caller is cancelled the call goes on: what it writes is written, or not, whole.
        """
        self._require_open()
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._store, context.run, function)

    async def carry(self, carry: Carry) -> Any:
        """Let a handler carry a workflow on, within its time."""
        if carry.spec.isolation == "process":
            return await self._carry_in_process(carry)
        if not inspect.iscoroutinefunction(carry.spec.function):
            # It gets the synchronous face, and a thread.
            perform = SyncDriver(self.kernel).perform_carry
            return await self._in_thread(partial(perform, carry))
        from ..async_run import AsyncRun

        subject = str(carry.session.workflow)
        work = carry.spec.function(AsyncRun(carry.session, self))
        with carrying(carry.session):
            return await self._within(carry.timeout, subject, _interruptible(carry, work))

    def close(self) -> None:
        """Let the threads end; those that wait for the store finish first."""
        self._closed = True
        self._store.shutdown(wait=True)

    async def _carry_in_process(self, carry: Carry) -> Any:
        from ..isolation.carrying import carry_in_process

        stopping = Stopping()
        waiting = partial(carry_in_process, carry, self.kernel, stopping)
        doing = asyncio.wrap_future(in_thread("holdfast-work", waiting))
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            stopping.set()
            await asyncio.wait([doing])
            if not doing.cancelled():
                doing.exception()  # seen: being cancelled is what the caller learns
            raise

    def _require_open(self) -> None:
        if self._closed:
            raise StoreClosed(self.kernel.store.target)

    async def _perform(self, effect: Effect) -> Any:
        match effect:
            case Execute(handler, command, None):
                self._require_open()
                return await self._writes.execute(handler, command)
            case Execute(handler, command, timeout):
                execute = self.kernel.dispatcher.execute
                return await self._whole(partial(execute, handler, command, timeout=timeout))
            case Read(work):
                return await self.with_store(lambda: self.kernel.dispatcher.read(work))
            case Call():
                return await self._within(effect.timeout, effect.subject, self._call(effect))
            case Carry():
                return await self.carry(effect)
            case Gather(flows, workers):
                return await self._gather(list(flows), workers)
            case Pause(seconds):
                clock = self.kernel.env.clock
                return await self._in_thread(partial(clock.wait, threading.Event(), seconds))

    async def _call(self, call: Call) -> Any:
        function = partial(call.function, *call.args, **call.kwargs)
        if inspect.iscoroutinefunction(call.function):
            return await function()
        result = await self._in_thread(function)
        # A lambda around a coroutine function, say.
        return await result if inspect.isawaitable(result) else result

    async def _within(self, seconds: float | None, subject: str, work: Coroutine[Any, Any, T]) -> T:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await work
        except TimeoutError:
            if not limit.expired() or seconds is None:
                raise
            raise TimedOut(subject, "timed out after", seconds) from None

    async def _gather(self, flows: list[Flow[Any]], workers: int) -> list[Settled[Any]]:
        turns = asyncio.Semaphore(max(1, workers))

        async def settle(flow: Flow[Any]) -> Settled[Any]:
            async with turns:
                try:
                    return Settled(await self.run(flow))
                except Exception as error:  # noqa: BLE001 - each caller learns of its own outcome
                    return Settled(error=error)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(settle(flow)) for flow in flows]
        return [task.result() for task in tasks]

    async def _whole(self, function: Callable[[], T]) -> T:
        """Wait for the store; when cancelled, first wait for it to be done.

        So that what a flow does about being cancelled comes after what it was doing.
        """
        doing = asyncio.ensure_future(self.with_store(function))
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            await asyncio.wait([doing])
            if not doing.cancelled():
                doing.exception()  # seen: being cancelled is what the caller learns
            raise

    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.wrap_future(in_thread("holdfast-work", function))


async def _interruptible(carry: Carry, work: Awaitable[T]) -> T:
    """Await *work*, so that its session can stop it from any thread."""
    session = carry.session
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    session.interrupt = lambda: _call_soon(loop, task)
    try:
        return await task
    except asyncio.CancelledError:
        if session.ended is not None and task.cancelled():
            raise session.ended from None
        task.cancel()
        raise
    finally:
        session.interrupt = None


def _call_soon(loop: asyncio.AbstractEventLoop, task: asyncio.Future[Any]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(task.cancel)
