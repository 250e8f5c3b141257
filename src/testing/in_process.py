"""Executes a workflow in this process; a kill is an exception after which nothing is written.

Quick, and works with functions of any kind. It cannot show what a process loses when it dies: its
memory, its open files, its threads; and the workflow's ``finally`` blocks do run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NoReturn, Self, TypeVar

from ..application.dispatcher import Dispatcher
from ..domain.moment import Moment
from ..domain.ports import HandlerSpec, Store, UnitOfWork, Written
from ..infrastructure.clock import SystemClock
from ..interface.bootstrap import make_kernel
from ..interface.keepers import Keepers
from ..interface.kernel import Kernel
from ..interface.registry import Registry
from ..interface.settings import Settings
from .execution import Execution, Outcome, execute

T = TypeVar("T")


class Killed(BaseException):
    """Stands for the end of the process; no `Exception`, so that nobody deals with it."""


class InProcess:
    """Executes a workflow in this process; a context manager."""

    def __init__(self, spec: HandlerSpec, settings: Settings) -> None:
        self._spec = spec
        self._settings = settings
        self._memory: Store | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def execute(
        self,
        execution: Execution,
        *,
        again: bool = False,
        elsewhere: bool = False,  # noqa: ARG002 - there is only here
    ) -> Outcome | None:
        """Return how it ended; ``None`` when it was killed; see `Processes`."""
        kernel = self._open(execution, again=again)
        mortal: Any = _MortalStore(kernel.store)
        dispatcher = Dispatcher(mortal, kernel.env, kernel.dispatcher.redact)

        def kill() -> NoReturn:
            mortal.is_dead = True
            raise Killed

        try:
            outcome = execute(replace(kernel, store=mortal, dispatcher=dispatcher), execution, kill)
        except BaseException:
            if not mortal.is_dead:
                raise
            # `Killed`, also where asyncio has put it into a group.
            return None
        else:
            return None if mortal.is_dead else outcome
        finally:
            for session in kernel.keepers.sessions():
                kernel.keeper.forget(session)
            if self._memory is None:
                kernel.store.close()

    def _open(self, execution: Execution, *, again: bool) -> Kernel:
        registry = Registry()
        options: dict[str, Any] = {
            "timeout": self._spec.timeout,
            "max_retries": self._spec.max_retries,
        }
        registry.workflow(self._spec.name, **options)(self._spec.function)
        # The owner of the lease is alive: this very process. So it has to run out.
        later = self._settings.lease + 1 if again else 0.0
        kernel = make_kernel(
            execution.target,
            registry=registry,
            durability="process",
            settings=self._settings,
            clock=_LaterClock(later),
        )
        if execution.target != "memory:":
            return kernel
        if not again or self._memory is None:
            self._memory = kernel.store
            return kernel
        dispatcher = Dispatcher(self._memory, kernel.env, kernel.dispatcher.redact)
        return replace(
            kernel, store=self._memory, dispatcher=dispatcher, keepers=Keepers(dispatcher)
        )


class _LaterClock(SystemClock):
    """The clocks of this host, some seconds later."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._shift = seconds

    def moment(self) -> Moment:
        now = super().moment()
        uptime_ns = now.uptime_ns + int(self._shift * 1e9)
        return Moment(now.wall + timedelta(seconds=self._shift), now.boot_id, uptime_ns)


class _MortalStore:
    """A store that takes nothing more once its engine is dead."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_dead = False

    def write(self, work: Callable[[UnitOfWork], T], *, timeout: float | None = None) -> T:
        self._require_alive()
        return self._store.write(work, timeout=timeout)

    def write_each(
        self, works: Sequence[Callable[[UnitOfWork], T]], *, timeout: float | None = None
    ) -> list[Written[T]]:
        self._require_alive()
        return self._store.write_each(works, timeout=timeout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _require_alive(self) -> None:
        if self.is_dead:
            raise Killed
