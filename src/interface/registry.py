"""The handlers of a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..domain.checkpoint import DEFAULT_MAX_RETRIES
from ..domain.errors import HandlerNotFound, InvalidRequest
from ..domain.name_part import check_part
from ..domain.ports import HandlerSpec
from ..domain.ports.handler_registry import Isolation

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_HANDLER_TIMEOUT = 300.0


class Registry:
    """The handlers of a program, by name; touches no store.

    Only what is registered here can run: a name in a store is looked up, never imported.

    >>> app = Registry()
    >>> @app.handler("rebuild-index", timeout=60)
    ... def rebuild(run):
    ...     return run.context.workflow_state
    >>> app.names()
    ('rebuild-index',)
    """

    def __init__(self) -> None:
        self._specs: dict[str, HandlerSpec] = {}

    def handler(
        self,
        name: str,
        *,
        timeout: float | None = DEFAULT_HANDLER_TIMEOUT,
        isolation: Isolation = "inline",
    ) -> Callable[[F], F]:
        """Register the function, unchanged, as the resume handler *name*.

        It is called with a `Run` (an `AsyncRun` when it is ``async``).

        Args:
            timeout: seconds that one attempt may take; ``None`` for no limit but silence.
            isolation: ``"process"`` to run it in a process of its own, which can be ended at its
                limit whatever it does.
        """
        if isolation != "inline":
            raise InvalidRequest(
                f"isolation={isolation!r} of handler {name!r} is not there yet; give 'inline'"
            )
        return self._register(
            name, lambda function: HandlerSpec(name, function, timeout, isolation)
        )

    def workflow(
        self,
        name: str,
        *,
        timeout: float | None = None,
        max_retries: int = DEFAULT_MAX_RETRIES,
        retention_days: float | None = None,
        retention_count: int | None = None,
    ) -> Callable[[F], F]:
        """Register the function, unchanged, as the workflow *name*: `start` runs it.

        It is its own resume handler: finished steps give their recorded output.

        Args:
            timeout: seconds that one attempt may take; ``None`` for no limit but silence.
            max_retries: executions after the first that may pass without progress.
            retention_days: how long its checkpoints are kept at least; ``None`` for the store's.
            retention_count: how many of its newest checkpoints are kept at least.
        """
        return self._register(
            name,
            lambda function: HandlerSpec(
                name,
                function,
                timeout,
                is_workflow=True,
                max_retries=max_retries,
                retention_days=retention_days,
                retention_count=retention_count,
            ),
        )

    def get(self, name: str) -> HandlerSpec | None:
        """Return the handler called *name*, if it is registered."""
        return self._specs.get(name)

    def require_workflow(self, name: str) -> HandlerSpec:
        """Return the workflow called *name*.

        Raises:
            HandlerNotFound: it is not registered.
            InvalidRequest: it is a handler, which carries on and does not start.
        """
        spec = self.get(name)
        if spec is None:
            raise HandlerNotFound(name, self.names())
        if not spec.is_workflow:
            raise InvalidRequest(
                f"{name!r} is a handler, which carries workflows on; register it with "
                "@app.workflow to start it"
            )
        return spec

    def names(self) -> tuple[str, ...]:
        """Return the names of all handlers, sorted."""
        return tuple(sorted(self._specs))

    def _register(self, name: str, make: Callable[[F], HandlerSpec]) -> Callable[[F], F]:
        check_part("handler name", name)
        if name in self._specs:
            raise InvalidRequest(f"a handler named {name!r} is registered already; choose another")

        def decorate(function: F) -> F:
            self._specs[name] = make(function)
            return function

        return decorate
