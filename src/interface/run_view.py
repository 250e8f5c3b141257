"""What the synchronous and the asynchronous face of a run have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from ..application.runs.flow import Flow
from ..application.runs.session import Session
from ..application.runs.stage import map_items
from ..application.runs.step import StepKit, StepOptions, step
from ..application.runs.wait import wait
from ..domain.execution_context import ExecutionContext
from ..domain.json_value import JsonObject, JsonValue
from ..domain.name_part import check_part
from ..domain.scope import Scope
from .arguments import require_function
from .block import Block
from .kernel import Kernel

DEFAULT_WORKERS = 8


class RunView:
    """What can be read of a run without asking the store."""

    def __init__(self, session: Session, kernel: Kernel, options: StepOptions) -> None:
        self._session = session
        self._kernel = kernel
        self._options = options

    @property
    def workflow_id(self) -> str:
        """The name of the workflow."""
        return self._session.attempt.workflow_id

    @property
    def input(self) -> JsonValue:
        """What the workflow was started with."""
        return self._kernel.fresh(self._session.input)

    @property
    def context(self) -> ExecutionContext:
        """What the chain added up to when this attempt began."""
        return self._kernel.context(self._kernel.fresh_replay(self._session.past))

    @property
    def state(self) -> JsonObject:
        """The shared state of the workflow, as this run left it: a copy of its own."""
        return self._kernel.state(self._session, self._session.workflow)

    @property
    def epoch(self) -> int:
        """The number of the lease that this run writes under."""
        return self._session.attempt.epoch

    @property
    def attempt(self) -> int:
        """The number of this attempt; 1 for the workflow's first."""
        return self._session.attempt.number

    @property
    def correlation_id(self) -> str:
        """What ties the attempt, its events and its log lines together."""
        return self._session.attempt.correlation_id

    @property
    def cancelled(self) -> bool:
        """Whether the run was asked to stop, or lost its lease: nothing it writes counts."""
        return self._session.ended is not None and not self._session.is_completed

    @property
    def is_completed(self) -> bool:
        """Whether the workflow was completed before: steps give what is recorded."""
        return self._session.is_completed

    @property
    def in_doubt(self) -> tuple[str, ...]:
        """The steps that an earlier attempt opened and did not close: they may have had effects.

        As ``"stage"`` or ``"stage/agent"``, encoded as in ids, in the order of opening.
        """
        return self._session.in_doubt

    def _kit(self) -> StepKit:
        return self._kernel.steps(self._session)

    def _stage_scope(self, what: str, name: str) -> Scope:
        # Before it is a scope: None would be the workflow itself.
        return Scope(self.workflow_id, check_part(what, name))

    def _wait_flow(
        self, name: str, question: JsonValue, until: timedelta | datetime | None
    ) -> Flow[JsonValue]:
        scope = self._stage_scope("wait name", name)
        return wait(self._kit(), scope, question, until, self._options.changed_input)

    def _step_flow(
        self, scope: Scope, function: Callable[..., Any], args: Any, kwargs: Any
    ) -> Flow[JsonValue]:
        require_function(f"the function of step {scope}", function)
        return step(self._kit(), scope, function, args, kwargs, self._options)


class StageView(RunView):
    """What can be read of a stage without asking the store."""

    _usage = "with run.stage(…) as stage:"

    def __init__(
        self,
        scope: Scope,
        kind: str,
        session: Session,
        kernel: Kernel,
        options: StepOptions,
        block: Block | None,
    ) -> None:
        super().__init__(session, kernel, options)
        self._scope = scope
        self._kind = kind
        # One with other options is the same stage.
        self._block = block or Block(scope, self._usage)
        self._finished_before = False

    @property
    def name(self) -> str:
        """The name of the stage."""
        return self._scope.stage_id or ""

    @property
    def state(self) -> JsonObject:
        """The state of the stage, as this run left it: a copy of its own."""
        return self._kernel.state(self._session, self._scope)

    def _agent_scope(self, what: str, name: str) -> Scope:
        self._block.require_inside()
        return Scope(self.workflow_id, self._scope.stage_id, check_part(what, name))

    def _map_flow(
        self,
        function: Callable[..., Any],
        items: Iterable[Any],
        key: Callable[[Any], str] | None,
        workers: int,
    ) -> Flow[list[JsonValue]]:
        self._block.require_inside()
        require_function(f"the function of a map in {self._scope}", function)
        return map_items(
            self._kit(),
            self._scope,
            function,
            items,
            key=key,
            workers=workers,
            options=self._options,
        )


class AgentView:
    """What can be read of an agent without asking the store.

    Attributes:
        output: what the agent gives; set it before the block ends.
    """

    _usage = "with stage.agent(…) as agent:"

    def __init__(
        self, scope: Scope, input: JsonValue, session: Session, kernel: Kernel, stage: Block
    ) -> None:
        self._block = Block(scope, self._usage)
        self._stage_block = stage
        self._scope = scope
        self._session = session
        self._kernel = kernel
        self._given = input
        record = session.record(scope)
        self.output: JsonValue = kernel.fresh(record.output) if record.is_finished else None
        self._finished_before = False

    @property
    def name(self) -> str:
        """The name of the agent."""
        return self._scope.agent_id or ""

    @property
    def input(self) -> JsonValue:
        """What the agent was given."""
        return self._given

    @property
    def finished(self) -> bool:
        """Whether it was finished before this attempt; `output` is then what is recorded."""
        return self._finished_before

    @property
    def state(self) -> JsonObject:
        """The state of the agent, as this run left it: a copy of its own."""
        return self._kernel.state(self._session, self._scope)
