"""The handlers of a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar, get_args

from ..application.redaction import Redact
from ..domain.checkpoint import DEFAULT_MAX_RETRIES
from ..domain.errors import HandlerNotFound, InvalidRequest
from ..domain.name_part import check_part
from ..domain.ports import HandlerSpec
from ..domain.ports.handler_registry import Isolation
from ..domain.retention import require_retention
from ..domain.wording import shorten

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

    def __init__(self, *, redact: Redact | None = None) -> None:
        """Begin without handlers.

        Args:
            redact: takes secrets out of metadata and errors before they are stored, wherever these
                handlers run, the command line included; see `holdfast.open`.
        """
        self.redact = redact
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
                limit whatever it does. That imports the function: it stands at the top of a module.
        """
        _require_isolation(name, isolation)
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
        isolation: Isolation = "inline",
    ) -> Callable[[F], F]:
        """Register the function, unchanged, as the workflow *name*: `start` runs it.

        It is its own resume handler: finished steps give their recorded output.

        Args:
            timeout: seconds that one attempt may take; ``None`` for no limit but silence.
            max_retries: executions after the first that may pass without progress.
            retention_days: how long its checkpoints are kept at least; ``None`` for the store's.
            retention_count: how many of its newest checkpoints are kept at least.
            isolation: see `handler`.
        """
        _require_isolation(name, isolation)
        require_retention(retention_days, retention_count)
        return self._register(
            name,
            lambda function: HandlerSpec(
                name,
                function,
                timeout,
                isolation,
                is_workflow=True,
                max_retries=max_retries,
                retention_days=retention_days,
                retention_count=retention_count,
            ),
        )

    def command(
        self,
        name: str,
        command: Sequence[str],
        *,
        timeout: float | None = DEFAULT_HANDLER_TIMEOUT,
    ) -> None:
        """Register a command, run without a shell, as the resume handler *name*.

        It gets the context as JSON on standard input and ``HOLDFAST_RUN_*`` in its environment;
        exit status 0 completes what it carries on, any other fails it.

        Args:
            command: the program and its arguments.
            timeout: seconds that one attempt may take; ``None`` for no limit but silence.
        """
        if isinstance(command, str | bytes) or not command:
            raise InvalidRequest(
                f"the command of handler {name!r} is {shorten(command)}; give a list of arguments, "
                "for example ['prog', 'arg']"
            )
        for each in command:
            if not isinstance(each, str) or "\0" in each:
                raise InvalidRequest(
                    f"the command of handler {name!r} has the argument {shorten(each)}; give text"
                )
        spec = HandlerSpec(name, _no_function, timeout, "process", command=tuple(command))
        self._register(name, lambda _: spec)(_no_function)

    def isolated(self, program: str | None) -> Registry:
        """Return a copy whose handlers run in processes of their own, found as *program* names.

        Args:
            program: ``MODULE:ATTRIBUTE`` of this registry, or of what gives it; ``None`` where it
                has commands alone.
        """
        copy = Registry(redact=self.redact)
        copy._specs = {
            name: replace(spec, isolation="process", program=program)
            for name, spec in self._specs.items()
        }
        return copy

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
            spec = make(function)
            if spec.isolation == "process" and not spec.command:
                require_importable(name, function)
            self._specs[name] = spec
            return function

        return decorate


def require_importable(
    name: str, function: Callable[..., Any], *, what: str = "its function"
) -> None:
    """Raise `InvalidRequest` when a fresh process could not import what a handler needs."""
    found = getattr(function, "__qualname__", None)
    if found is None or getattr(function, "__module__", None) is None or "<" in found:
        raise InvalidRequest(
            f"handler {name!r} is to run in a process of its own, which imports {what} by "
            f"name, and {found or shorten(function)} is none that can be imported; define it at "
            "the top of a module"
        )


def _require_isolation(name: str, isolation: Isolation) -> None:
    if isolation not in get_args(Isolation):
        known = " or ".join(map(repr, get_args(Isolation)))
        raise InvalidRequest(f"isolation of handler {name!r} is {shorten(isolation)}; give {known}")


def _no_function(run: object) -> None:
    raise AssertionError(f"a command is run in its place, for {run}")
