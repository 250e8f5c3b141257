"""A run, its stages and its agents, for asyncio programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from ..application.payloads import payload_of
from ..application.runs.attempt import give_up, record_failure, record_return
from ..application.runs.session import Session
from ..application.runs.stage import (
    beat,
    enter_agent,
    enter_stage,
    fail_open_scope,
    join,
    leave_scope,
    save_state,
    stage_kind,
)
from ..application.runs.step import ChangedInput, StepOptions
from ..domain.checkpoint import Checkpoint
from ..domain.json_value import JsonObject, JsonValue
from ..domain.name_part import check_part
from ..domain.scope import Scope
from .block import Block
from .drivers.async_driver import AsyncDriver
from .run_view import DEFAULT_WORKERS, AgentView, RunView, StageView


class AsyncRun(RunView):
    """A workflow being carried on under a lease. May be used from many tasks of one loop.

    Everything is as in `Run`, awaited; plain functions are run in threads.

    >>> import asyncio, holdfast
    >>> async def main():
    ...     async with holdfast.open_async("memory:") as engine, engine.run("nightly") as run:
    ...         return await run.step("count", len, "abc")
    >>> asyncio.run(main())
    3
    """

    def __init__(
        self,
        session: Session,
        driver: AsyncDriver,
        options: StepOptions = StepOptions(),
    ) -> None:
        super().__init__(session, driver.kernel, options)
        self._driver = driver

    def using(
        self,
        *,
        timeout: float | None = None,
        retries: int = 0,
        changed_input: ChangedInput = "error",
    ) -> AsyncRun:
        """Return the run with these options for its steps; see `Run.using`.

        After *timeout* a coroutine is cancelled.
        """
        return AsyncRun(self._session, self._driver, StepOptions(timeout, retries, changed_input))

    async def step(
        self, name: str, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> JsonValue:
        """Return what ``fn(*args, **kwargs)`` gives, run once; see `Run.step`.

        *fn* may be a coroutine function, or a plain one, which is run in a thread.
        """
        flow = self._step_flow(self._stage_scope("step name", name), fn, args, kwargs)
        return await self._driver.run(flow)

    def stage(self, name: str, *, kind: str = "sequential") -> AsyncStage:
        """Return a stage, to be used with ``async with``; see `Run.stage`."""
        scope = self._stage_scope("stage name", name)
        return AsyncStage(scope, stage_kind(kind), self._session, self._driver, self._options)

    async def checkpoint(
        self,
        *,
        name: str | None = None,
        state: JsonObject | None = None,
        patch: JsonObject | None = None,
    ) -> Checkpoint:
        """Write a progress checkpoint of the workflow's shared state; see `Run.checkpoint`."""
        return await self._driver.run(
            save_state(self._kit(), self._session.workflow, name, state, patch)
        )

    async def barrier(self, name: str) -> Checkpoint:
        """Write a barrier: parallel branches have joined. Return it."""
        check_part("barrier name", name)
        return await self._driver.run(join(self._session, name))

    async def wait(
        self,
        name: str,
        *,
        ask: JsonValue = None,
        until: timedelta | datetime | None = None,
    ) -> JsonValue:
        """Return the answer to what is asked, once there is one; see `Run.wait`."""
        return await self._driver.run(self._wait_flow(name, ask, until))

    async def heartbeat(self) -> None:
        """Give a sign of life; raises `Fenced` when the lease is lost."""
        await self._driver.run(beat(self._session))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session.is_completed:
            return
        kit = self._kernel.attempts
        if error is None:
            await self._driver.run(record_return(kit, self._session))
        elif isinstance(error, Exception | SystemExit):
            await self._driver.run(record_failure(kit, self._session, error))
        else:
            await self._driver.run(give_up(kit, self._session))


class AsyncStage(StageView):
    """A stage of a run, to be used with ``async with``, from many tasks of one loop.

    >>> import asyncio, holdfast
    >>> async def main():
    ...     async with holdfast.open_async("memory:") as engine, engine.run("nightly") as run:
    ...         async with run.stage("read", kind="parallel") as stage:
    ...             return await stage.map(str.upper, ["a", "b"])
    >>> asyncio.run(main())
    ['A', 'B']
    """

    _usage = "async with run.stage(…) as stage:"

    def __init__(
        self,
        scope: Scope,
        kind: str,
        session: Session,
        driver: AsyncDriver,
        options: StepOptions,
        block: Block | None = None,
    ) -> None:
        super().__init__(scope, kind, session, driver.kernel, options, block)
        self._driver = driver

    def using(
        self,
        *,
        timeout: float | None = None,
        retries: int = 0,
        changed_input: ChangedInput = "error",
    ) -> AsyncStage:
        """Return the stage with these options for its steps; see `Run.using`."""
        options = StepOptions(timeout, retries, changed_input)
        return AsyncStage(
            self._scope, self._kind, self._session, self._driver, options, self._block
        )

    async def step(
        self, name: str, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> JsonValue:
        """Return what ``fn(*args, **kwargs)`` returns, run once as an agent; see `Run.step`."""
        flow = self._step_flow(self._agent_scope("step name", name), fn, args, kwargs)
        return await self._driver.run(flow)

    async def map(
        self,
        fn: Callable[..., Any],
        items: Iterable[Any],
        *,
        key: Callable[[Any], str] | None = None,
        workers: int = DEFAULT_WORKERS,
    ) -> list[JsonValue]:
        """Run ``fn(item)`` once for each item, at most *workers* at once; see `Stage.map`."""
        return await self._driver.run(self._map_flow(fn, items, key, workers))

    def agent(self, name: str, *, input: JsonValue = None) -> AsyncAgent:
        """Return an agent, to be used with ``async with``; see `Stage.agent`."""
        scope = self._agent_scope("agent name", name)
        changed_input = self._options.changed_input
        return AsyncAgent(scope, input, self._session, self._driver, self._block, changed_input)

    async def checkpoint(
        self,
        *,
        name: str | None = None,
        state: JsonObject | None = None,
        patch: JsonObject | None = None,
    ) -> Checkpoint:
        """Write a progress checkpoint of the stage's own state and return it."""
        self._block.require_inside()
        return await self._driver.run(save_state(self._kit(), self._scope, name, state, patch))

    async def __aenter__(self) -> Self:
        flow = enter_stage(self._session, self._scope, self._kind)
        self._finished_before = await self._driver.run(flow)
        self._block.enter()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._block.leave()
        if self._finished_before:
            return
        if error is None:
            joined = self._kind == "parallel"
            await self._driver.run(leave_scope(self._session, self._scope, joined=joined))
        elif isinstance(error, Exception):
            await self._driver.run(fail_open_scope(self._session, self._scope, error))


class AsyncAgent(AgentView):
    """An agent of a stage, to be used with ``async with``; see `Agent`.

    >>> import asyncio, holdfast
    >>> async def main():
    ...     async with holdfast.open_async("memory:") as engine, engine.run("nightly") as run:
    ...         async with run.stage("talk") as stage, stage.agent("writer") as agent:
    ...             agent.output = "done"
    ...         return dict((await engine.context("nightly")).outputs)
    >>> asyncio.run(main())
    {'talk/writer': 'done', 'talk': None}
    """

    _usage = "async with stage.agent(…) as agent:"

    def __init__(
        self,
        scope: Scope,
        input: JsonValue,
        session: Session,
        driver: AsyncDriver,
        stage: Block,
        changed_input: ChangedInput = "error",
    ) -> None:
        super().__init__(scope, input, session, driver.kernel, stage)
        self._driver = driver
        self._changed_input = changed_input

    async def checkpoint(
        self,
        *,
        name: str | None = None,
        state: JsonObject | None = None,
        patch: JsonObject | None = None,
    ) -> Checkpoint:
        """Write a progress checkpoint of the agent's own state and return it."""
        self._block.require_inside()
        kit = self._kernel.steps(self._session)
        return await self._driver.run(save_state(kit, self._scope, name, state, patch))

    async def __aenter__(self) -> Self:
        self._stage_block.require_inside()
        kit = self._kernel.steps(self._session)
        flow = enter_agent(kit, self._scope, self._given, self._changed_input)
        self._finished_before = await self._driver.run(flow)
        self._block.enter()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._block.leave()
        if self._finished_before:
            return
        if error is None:
            payload = payload_of(self._kernel.codec, output=self.output, of=self._scope)
            await self._driver.run(leave_scope(self._session, self._scope, payload=payload))
        elif isinstance(error, Exception):
            await self._driver.run(fail_open_scope(self._session, self._scope, error))
