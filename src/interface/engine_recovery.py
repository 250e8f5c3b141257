"""The part of an engine that starts workflows and carries them on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from ..domain.checkpoint import DEFAULT_MAX_RETRIES
from ..domain.json_value import JsonObject, JsonValue
from ..domain.ports.handler_registry import Isolation
from .engine_base import EngineBase
from .registry import DEFAULT_HANDLER_TIMEOUT
from .targets import Target

if TYPE_CHECKING:
    from ..application.queries.plan_recovery import RecoveryPlan
    from ..application.runs.recovery_result import RecoveryResult
    from .run import Run

F = TypeVar("F", bound=Callable[..., Any])


class Recovery(EngineBase):
    """The part of an engine that starts workflows and carries them on."""

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
    ) -> Run:
        """Open a workflow, or carry on one that is free; return its run, under a lease.

        Use it as a context manager: see `Run`. A workflow that is completed writes nothing: its
        steps give what is recorded.

        Args:
            handler: who carries the workflow on when this process dies.
            input: what it is started with; another one than recorded is an error.
            state: its first shared state; of a workflow that exists, the recorded one counts.
            lease: seconds for which the lease is good when it is not renewed.
            silence: seconds without a checkpoint, a finished step or a heartbeat after which the
                run counts as hung.
            retention_days: how long its checkpoints are kept at least; ``None`` for the store's.
            retention_count: how many of its newest checkpoints are kept at least.

        Raises:
            LeaseHeld: somebody else carries it on.
            NotRecoverable: it cannot be carried on; has every reason.
        """
        from ..application.runs.start import enter_or_replay
        from .orders import enter_order
        from .run import Run

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
        session = self._driver.run(enter_or_replay(self._kernel.attempts, command))
        return Run(session, self._driver)

    def start(self, name: str, *, workflow_id: str, input: JsonValue = None) -> JsonValue:
        """Run a registered workflow and return its result, in its recorded form.

        The same id again: finished gives the recorded result, interrupted is carried on.

        Raises:
            LeaseHeld: it is running.
            InputChanged: it was started with another input.
            NotRecoverable: it cannot be carried on; has every reason.

        >>> import holdfast
        >>> app = holdfast.Registry()
        >>> @app.workflow("greet")
        ... def greet(run):
        ...     return run.step("write", "hello {}".format, run.input)
        >>> with holdfast.open("memory:", registry=app) as engine:
        ...     engine.start("greet", workflow_id="g-1", input="you")
        'hello you'
        """
        from ..application.runs.start import start
        from .orders import start_order

        spec, command = start_order(self._kernel, name, workflow_id, input)
        return self._driver.run(start(self._kernel.attempts, command, spec))

    @overload
    def recover(
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
    def recover(
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
    def recover(
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
        """Carry a workflow on: load, validate, rebuild, resolve the handler, resume.

        Args:
            id_or_workflow: naming a checkpoint chooses whose handler runs.
            handler: runs instead of the one that is recorded.
            timeout: seconds for it; by default its own limit.
            force: pass over a living lease, over back-off and over used-up retries.
            strict: raise on damage instead of falling back to the newest intact ancestor.
            explain: change nothing, and return what would happen and why.

        Raises:
            NotFound: there is no such checkpoint or workflow.
            NotRecoverable: nothing was run; has every reason.

        >>> import holdfast
        >>> app = holdfast.Registry()
        >>> @app.handler("rebuild")
        ... def rebuild(run):
        ...     return run.context.workflow_state["done"]
        >>> with holdfast.open("memory:", registry=app) as engine:
        ...     saved = engine.checkpoint("nightly", state={"done": 3}, resume_handler="rebuild")
        ...     print(engine.recover("nightly", explain=True).verdict)
        ...     print(engine.recover("nightly").output)
        would resume nightly...
        3
        """
        from ..application.runs.recover import plan, recover
        from .orders import recover_order

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
            return self._driver.run(plan(kit, command, registry))
        return self._driver.run(recover(kit, command, registry))

    def handler(
        self,
        name: str,
        *,
        timeout: float | None = DEFAULT_HANDLER_TIMEOUT,
        isolation: Isolation = "inline",
    ) -> Callable[[F], F]:
        """Register a resume handler; see `Registry.handler`."""
        return self._kernel.registry.handler(name, timeout=timeout, isolation=isolation)

    def workflow(
        self,
        name: str,
        *,
        timeout: float | None = None,
        max_retries: int = DEFAULT_MAX_RETRIES,
        retention_days: float | None = None,
        retention_count: int | None = None,
        isolation: Isolation = "inline",
    ) -> Callable[[F], F]:
        """Register a workflow; see `Registry.workflow`."""
        return self._kernel.registry.workflow(
            name,
            timeout=timeout,
            max_retries=max_retries,
            retention_days=retention_days,
            retention_count=retention_count,
            isolation=isolation,
        )
