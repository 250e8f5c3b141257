"""Writes of many tasks of one loop, handed to one thread as one batch."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ...application.dispatcher import Dispatcher, Handler


@dataclass(slots=True)
class _Order:
    """What one task wants to be written.

    Attributes:
        outcome: what the task waits for; cancelled with it.
        over: set when it is settled, for a task that was cancelled.
    """

    handler: Handler[Any, Any]
    command: Any
    outcome: asyncio.Future[Any]
    over: asyncio.Event | None = None
    is_settled: bool = False


class WriteBatches:
    """Collects what the tasks of a loop want to be written while a batch is under way.

    A hand-over to a thread costs more than a write; so it is one for all who wait. For the tasks of
    one loop.
    """

    def __init__(self, dispatcher: Dispatcher, executor: Executor) -> None:
        self._dispatcher = dispatcher
        self._executor = executor
        self._waiting: list[_Order] = []
        self._is_busy = False

    async def execute(self, handler: Handler[Any, Any], command: Any) -> Any:
        """Run a command as one transaction; return what its handler returns, durably.

        When the caller is cancelled it is told only after the write is done, or refused.
        """
        loop = asyncio.get_running_loop()
        order = _Order(handler, command, loop.create_future())
        self._waiting.append(order)
        if not self._is_busy:
            self._is_busy = True
            # Not at once: other tasks that are ready may want to come along.
            loop.call_soon(self._send, loop)
        try:
            # Not shielded, which would be another future and two more turns of the loop a write.
            return await order.outcome
        except asyncio.CancelledError:
            if not order.is_settled:
                order.over = asyncio.Event()
            while not order.is_settled:
                # Cancelled again it waits on: that it was cancelled is raised below.
                with suppress(asyncio.CancelledError):
                    await order.over.wait()  # type: ignore[union-attr]
            raise

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        orders, self._waiting = self._waiting, []
        try:
            doing = loop.run_in_executor(
                self._executor,
                self._dispatcher.execute_each,
                [(order.handler, order.command) for order in orders],
            )
        except RuntimeError as closed:
            self._settle(orders, [closed] * len(orders), loop)
            return
        doing.add_done_callback(lambda done: self._receive(orders, done, loop))

    def _receive(
        self, orders: list[_Order], done: asyncio.Future[Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        outcomes = [error] * len(orders) if error is not None else done.result()
        self._settle(orders, outcomes, loop)

    def _settle(
        self, orders: list[_Order], outcomes: list[Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        for order, outcome in zip(orders, outcomes, strict=True):
            order.is_settled = True
            if order.over is not None:
                order.over.set()
            if order.outcome.done():
                continue  # cancelled: being that is what the caller learns
            if isinstance(outcome, BaseException):
                order.outcome.set_exception(outcome)
            elif outcome.error is not None:
                order.outcome.set_exception(outcome.error)
            else:
                order.outcome.set_result(outcome.result)
        if self._waiting:
            self._send(loop)
        else:
            self._is_busy = False
