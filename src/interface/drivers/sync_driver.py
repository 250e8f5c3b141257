"""Performs flows by blocking."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
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
from ..kernel import Kernel
from .daemon_threads import in_thread, side_by_side
from .time_limit import call_within

T = TypeVar("T")


class SyncDriver:
    """Performs flows by blocking the calling thread; may be used from any thread."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def run(self, flow: Flow[T]) -> T:
        """Perform *flow* to its end and return its result."""
        try:
            effect = next(flow)
            while True:
                try:
                    result = self._perform(effect)
                except BaseException as error:  # noqa: BLE001 - the flow decides what becomes of it
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as end:
            value: T = end.value
            return value

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Execute(handler, command, timeout):
                return self.kernel.dispatcher.execute(handler, command, timeout=timeout)
            case Read(work):
                return self.kernel.dispatcher.read(work)
            case Call():
                return self._call(effect)
            case Carry():
                return self.perform_carry(effect)
            case Gather(flows, workers):
                return self._gather(list(flows), workers)
            case Pause(seconds):
                return self.kernel.env.clock.wait(threading.Event(), seconds)

    def _call(self, call: Call) -> Any:
        if inspect.iscoroutinefunction(call.function):
            raise TypeError(
                f"{call.subject} is a coroutine function and this run is synchronous; make the "
                "workflow async, or give a plain function"
            )
        function = partial(call.function, *call.args, **call.kwargs)
        if call.timeout is None:
            return function()
        return call_within(call.timeout, call.subject, function)

    def perform_carry(self, carry: Carry) -> Any:
        """Let a handler carry a workflow on, within its time."""
        if carry.spec.isolation == "process":
            from ..isolation.carrying import carry_in_process

            return carry_in_process(carry, self.kernel)
        with carrying(carry.session):
            return self._carry(carry)

    def _carry(self, carry: Carry) -> Any:
        if inspect.iscoroutinefunction(carry.spec.function):
            return _run_coroutine(partial(self._carry_async, carry))
        from ..run import Run

        function = partial(carry.spec.function, Run(carry.session, self))
        if carry.timeout is None:
            return function()
        return call_within(carry.timeout, str(carry.session.workflow), function)

    async def _carry_async(self, carry: Carry) -> Any:
        from .async_driver import AsyncDriver

        driver = AsyncDriver(self.kernel)
        try:
            return await driver.carry(carry)
        finally:
            driver.close()

    def _gather(self, flows: list[Flow[Any]], workers: int) -> list[Settled[Any]]:
        def settle(flow: Flow[Any]) -> Settled[Any]:
            try:
                return Settled(self.run(flow))
            except Exception as error:  # noqa: BLE001 - each caller learns of its own outcome
                return Settled(error=error)

        tasks = [partial(settle, flow) for flow in flows]
        return side_by_side("holdfast-map", tasks, workers)


def _run_coroutine(make: Callable[[], Any]) -> Any:
    """Run a coroutine to its end; in a thread of its own when this one has a loop already."""
    import asyncio  # late: it takes as long to load as all of this package

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(make())
    return in_thread("holdfast-loop", lambda: asyncio.run(make())).result()
