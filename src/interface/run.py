"""A run, its stages and its agents, for synchronous programs."""

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
from .drivers.sync_driver import SyncDriver
from .run_view import DEFAULT_WORKERS, AgentView, RunView, StageView


class Run(RunView):
    """A workflow being carried on under a lease. May be used from many threads.

    As a context manager: leaving the block normally completes the workflow; an exception records
    the failure and is raised again; `KeyboardInterrupt` gives the lease up and leaves the workflow
    recoverable.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     with engine.run("nightly", handler="rebuild", input={"root": "src"}) as run:
    ...         words = run.step("count", len, "three little words".split())
    ...         saved = run.checkpoint(patch={"words": words})
    ...         print(run.state, run.epoch)
    ...     print(engine.get("nightly@1").status)
    {'words': 3} 1
    completed
    """

    def __init__(
        self,
        session: Session,
        driver: SyncDriver,
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
    ) -> Run:
        """Return the run with these options for its steps.

        Args:
            timeout: seconds that each try may take, and may be silent. A plain function cannot be
                ended: it goes on in its thread, and what it returns no longer counts.
            retries: further tries within this attempt, after back-off, when a step raises.
            changed_input: ``"rerun"`` or ``"keep"`` the output of a finished step that is asked
                with another input, instead of raising `InputChanged`.
        """
        return Run(self._session, self._driver, StepOptions(timeout, retries, changed_input))

    def step(self, name: str, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> JsonValue:
        """Return what ``fn(*args, **kwargs)`` returns, run once; or what is recorded of it.

        The arguments are JSON and are the recorded input; what else *fn* needs comes by closure.
        What it returns comes back in its recorded form.

        Raises:
            InputChanged: it is finished, and was asked with another input.
            DuplicateName: the name is used twice in one attempt.
            Fenced: the lease is lost; nothing was written.
        """
        flow = self._step_flow(self._stage_scope("step name", name), fn, args, kwargs)
        return self._driver.run(flow)

    def stage(self, name: str, *, kind: str = "sequential") -> Stage:
        """Return a stage, to be used as a context manager; agents are within it.

        Args:
            kind: ``"sequential"``, ``"parallel"`` (leaving it writes a barrier) or ``"barrier"``.
        """
        scope = self._stage_scope("stage name", name)
        return Stage(scope, stage_kind(kind), self._session, self._driver, self._options)

    def checkpoint(
        self,
        *,
        name: str | None = None,
        state: JsonObject | None = None,
        patch: JsonObject | None = None,
    ) -> Checkpoint:
        """Write a progress checkpoint of the workflow's shared state and return it.

        Args:
            name: counts as progress the first time it is achieved.
            state: replaces the shared state.
            patch: merges into it (RFC 7396).
        """
        return self._driver.run(save_state(self._kit(), self._session.workflow, name, state, patch))

    def barrier(self, name: str) -> Checkpoint:
        """Write a barrier: parallel branches have joined. Return it."""
        check_part("barrier name", name)
        return self._driver.run(join(self._session, name))

    def wait(
        self,
        name: str,
        *,
        ask: JsonValue = None,
        until: timedelta | datetime | None = None,
    ) -> JsonValue:
        """Return the answer to what is asked, once there is one; ``None`` when it is due.

        Until then it raises `Waiting`, which ends the attempt: the lease is given up, and the
        process may exit. An answer (`Engine.answer`), or the time, carries the run on from here. No
        retry is used up.

        Args:
            name: of the question, as a step has one.
            ask: what is asked, for whoever answers to see.
            until: when it is over, an aware datetime; or how long after it was first asked.

        Raises:
            Waiting: let it end the attempt.
            InputChanged: it was asked before, with another question.

        >>> import holdfast
        >>> app = holdfast.Registry()
        >>> @app.workflow("review")
        ... def review(run):
        ...     return run.wait("approval", ask="publish?")
        >>> with holdfast.open("memory:", registry=app) as engine:
        ...     try:
        ...         engine.start("review", workflow_id="r-1")
        ...     except holdfast.Waiting as waiting:
        ...         answered = engine.answer(waiting.workflow_id, waiting.name, {"ok": True})
        ...     engine.start("review", workflow_id="r-1")
        {'ok': True}
        """
        return self._driver.run(self._wait_flow(name, ask, until))

    def heartbeat(self) -> None:
        """Give a sign of life; raises `Fenced` when the lease is lost."""
        self._driver.run(beat(self._session))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session.is_completed:
            return
        kit = self._kernel.attempts
        if error is None:
            self._driver.run(record_return(kit, self._session))
        elif isinstance(error, Exception | SystemExit):
            self._driver.run(record_failure(kit, self._session, error))
        else:
            self._driver.run(give_up(kit, self._session))


class Stage(StageView):
    """A stage of a run: a context manager. May be used from many threads.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine, engine.run("nightly") as run:
    ...     with run.stage("read", kind="parallel") as stage:
    ...         print(stage.map(str.upper, ["a", "b"], workers=2))
    ...         print(stage.step("count", len, "ab"))
    ['A', 'B']
    2
    """

    def __init__(
        self,
        scope: Scope,
        kind: str,
        session: Session,
        driver: SyncDriver,
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
    ) -> Stage:
        """Return the stage with these options for its steps; see `Run.using`."""
        options = StepOptions(timeout, retries, changed_input)
        return Stage(self._scope, self._kind, self._session, self._driver, options, self._block)

    def step(self, name: str, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> JsonValue:
        """Return what ``fn(*args, **kwargs)`` returns, run once as an agent; see `Run.step`."""
        flow = self._step_flow(self._agent_scope("step name", name), fn, args, kwargs)
        return self._driver.run(flow)

    def map(
        self,
        fn: Callable[..., Any],
        items: Iterable[Any],
        *,
        key: Callable[[Any], str] | None = None,
        workers: int = DEFAULT_WORKERS,
    ) -> list[JsonValue]:
        """Run ``fn(item)`` once for each item, side by side, one agent an item.

        Results come in the order of the items. When some fail the others finish, then an
        `ExceptionGroup` is raised; recovery runs only those that failed.

        Args:
            key: names the agent of an item; by default the item itself when it is a string, else
                its digest. Repeats get ``#2``.
            workers: how many run at once, each in a thread.
        """
        return self._driver.run(self._map_flow(fn, items, key, workers))

    def agent(self, name: str, *, input: JsonValue = None) -> Agent:
        """Return an agent, to be used as a context manager, for work that is no single function."""
        scope = self._agent_scope("agent name", name)
        changed_input = self._options.changed_input
        return Agent(scope, input, self._session, self._driver, self._block, changed_input)

    def checkpoint(
        self,
        *,
        name: str | None = None,
        state: JsonObject | None = None,
        patch: JsonObject | None = None,
    ) -> Checkpoint:
        """Write a progress checkpoint of the stage's own state and return it."""
        self._block.require_inside()
        return self._driver.run(save_state(self._kit(), self._scope, name, state, patch))

    def __enter__(self) -> Self:
        flow = enter_stage(self._session, self._scope, self._kind)
        self._finished_before = self._driver.run(flow)
        self._block.enter()
        return self

    def __exit__(
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
            self._driver.run(leave_scope(self._session, self._scope, joined=joined))
        elif isinstance(error, Exception):
            self._driver.run(fail_open_scope(self._session, self._scope, error))


class Agent(AgentView):
    """An agent of a stage: a context manager, for work that is no single function.

    Set ``output`` before the block ends; look at ``finished`` to skip what is done already.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine, engine.run("nightly") as run:
    ...     with run.stage("talk") as stage, stage.agent("writer", input="draft") as agent:
    ...         if not agent.finished:
    ...             agent.output = agent.input.upper()
    ...     print(engine.context("nightly").outputs)
    {'talk/writer': 'DRAFT', 'talk': None}
    """

    def __init__(
        self,
        scope: Scope,
        input: JsonValue,
        session: Session,
        driver: SyncDriver,
        stage: Block,
        changed_input: ChangedInput = "error",
    ) -> None:
        super().__init__(scope, input, session, driver.kernel, stage)
        self._driver = driver
        self._changed_input = changed_input

    def checkpoint(
        self,
        *,
        name: str | None = None,
        state: JsonObject | None = None,
        patch: JsonObject | None = None,
    ) -> Checkpoint:
        """Write a progress checkpoint of the agent's own state and return it."""
        self._block.require_inside()
        kit = self._kernel.steps(self._session)
        return self._driver.run(save_state(kit, self._scope, name, state, patch))

    def __enter__(self) -> Self:
        self._stage_block.require_inside()
        kit = self._kernel.steps(self._session)
        flow = enter_agent(kit, self._scope, self._given, self._changed_input)
        self._finished_before = self._driver.run(flow)
        self._block.enter()
        return self

    def __exit__(
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
            self._driver.run(leave_scope(self._session, self._scope, payload=payload))
        elif isinstance(error, Exception):
            self._driver.run(fail_open_scope(self._session, self._scope, error))
