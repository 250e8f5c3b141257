"""Kills a workflow at each of its checkpoints, carries it on, and compares what it comes to."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self

from ..domain.errors import HandlerNotFound, InvalidRequest
from ..domain.json_value import JsonValue
from ..domain.ports import HandlerSpec
from ..domain.wording import shorten
from ..interface.opening import open as open_engine
from ..interface.registry import Registry
from ..interface.settings import Settings
from .comparing import Run, mismatches, repeated_steps, varying_places
from .execution import Execution, Outcome
from .fresh import scratch_folder, target_in
from .in_process import InProcess
from .kill_report import KilledRun, KillPoint, KillReport, Side
from .ledger import Noted
from .processes import Processes

_SIDES: tuple[Side, ...] = ("before", "after")


class _Executor(Protocol):
    """Executes a workflow; what it returns is ``None`` where that was killed."""

    def execute(
        self, execution: Execution, *, again: bool = ..., elsewhere: bool = ...
    ) -> Outcome | None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...


def survives_kills(
    registry: Registry,
    workflow: str,
    *,
    input: JsonValue = None,
    answers: Mapping[str, JsonValue] | None = None,
    store: str = "sqlite",
    in_process: bool = False,
    at_most: int | None = None,
    fresh: Callable[[], object] | None = None,
    outside: Callable[[], JsonValue] | None = None,
    settings: Settings | Mapping[str, float] | None = None,
    timeout: float = 60.0,
) -> KillReport:
    """Kill a workflow at each of its checkpoints, carry it on, and return what became of it.

    It is first run undisturbed, twice. Then, for each commit of that run, twice again: killed right
    before the commit and right after it, and carried on by `Engine.start`. Each time on a store of
    its own, in processes of their own that SIGKILL ends. Result, context and outputs must be those
    of the undisturbed run, and a step that was finished must not run again.

    Args:
        workflow: the name of a workflow of *registry*. Its function stands at the top of a module,
            from where a fresh process imports it; a file of tests will do.
        answers: what the workflow's questions (`Run.wait`) are answered with, by name.
        store: ``"sqlite"``, ``"json"``; or ``"memory"``, in this process only.
        in_process: simulate the kills in this process. Quick, and the function may stand anywhere;
            but what it keeps in memory is not lost, and its ``finally`` blocks do run.
        at_most: so many kills, spread over the run; by default all.
        fresh: called before each run, to make the world outside the store as it was.
        outside: called after each run; what it returns (a file's lines, the rows of a table, as
            JSON) must be that of the undisturbed run.
        timeout: seconds that each process may take, in processes of their own.

    Raises:
        DidNotSurvive: an `AssertionError` that names each kill after which something differs, and
            what; its ``report`` has it all.

    >>> import holdfast
    >>> app = holdfast.Registry()
    >>> @app.workflow("sum")
    ... def add_up(run):
    ...     return run.step("one", int, "1") + run.step("two", int, "2")
    >>> print(survives_kills(app, "sum", store="memory", in_process=True))
    'sum', killed 12 times at 6 checkpoints, came to the same each time
    steps that ran twice, for they were in doubt: one, two
    """
    return kill_everywhere(
        registry,
        workflow,
        input=input,
        answers=answers,
        store=store,
        in_process=in_process,
        at_most=at_most,
        fresh=fresh,
        outside=outside,
        settings=settings,
        timeout=timeout,
    ).require_survived()


def kill_everywhere(
    registry: Registry,
    workflow: str,
    *,
    input: JsonValue = None,
    answers: Mapping[str, JsonValue] | None = None,
    store: str = "sqlite",
    in_process: bool = False,
    at_most: int | None = None,
    fresh: Callable[[], object] | None = None,
    outside: Callable[[], JsonValue] | None = None,
    settings: Settings | Mapping[str, float] | None = None,
    timeout: float = 60.0,
) -> KillReport:
    """Do what `survives_kills` does, and return the report also when something differs."""
    if at_most is not None and (type(at_most) is not int or at_most < 1):
        raise InvalidRequest(f"at_most is {shorten(at_most)}; give 1 or more, or None")
    if store == "memory" and not in_process:
        raise InvalidRequest("a store in memory dies with its process; give in_process=True too")
    target_in(Path(), store)  # raises where there is no such kind
    spec = _spec(registry, workflow)
    of = Settings.of(settings)
    executor: _Executor = InProcess(spec, of) if in_process else Processes(spec, of, timeout)
    with scratch_folder() as folder, executor:
        trials = _Trials(
            executor,
            folder,
            store,
            Execution("", "", workflow, input, dict(answers or {})),
            fresh or (lambda: None),
            outside or (lambda: None),
        )
        return _report(workflow, trials, at_most)


def _report(workflow: str, trials: _Trials, at_most: int | None) -> KillReport:
    undisturbed = trials.undisturbed()
    # In the other process: what a step takes from that, the hash of a text say, differs too.
    varying = varying_places(undisturbed, trials.undisturbed(elsewhere=True))
    points = [
        KillPoint(number, side, wrote)
        for number, wrote in sorted(undisturbed.noted.commits.items())
        for side in _SIDES
    ]
    runs = []
    for point in _spread(points, at_most):
        run = trials.killed(point)
        # Of agents side by side another one may be the third to write.
        wrote = run.noted.commits.get(point.number, point.wrote)
        runs.append(
            KilledRun(
                replace(point, wrote=wrote),
                tuple(mismatches(undisturbed, run, varying)),
                run.outcome.in_doubt,
                dict(run.noted.calls),
                dict(repeated_steps(undisturbed, run)),
            )
        )
    return KillReport(workflow, len(undisturbed.noted.commits), tuple(runs), varying)


@dataclass(frozen=True, slots=True)
class _Trials:
    """Runs of one workflow, each on a store of its own."""

    executor: _Executor
    folder: Path
    store: str
    execution: Execution
    fresh: Callable[[], object]
    outside: Callable[[], JsonValue]

    def undisturbed(self, *, elsewhere: bool = False) -> Run:
        """Return a run that nothing happens to; raises `AssertionError` when it fails."""
        run = self._run(None, elsewhere=elsewhere)
        if run.outcome.error is not None:
            raise AssertionError(
                f"{self.execution.workflow!r} fails undisturbed: {run.outcome.error}"
            )
        return run

    def killed(self, point: KillPoint) -> Run:
        """Return a run that was killed at *point*, and carried on."""
        return self._run(point)

    def _run(self, point: KillPoint | None, *, elsewhere: bool = False) -> Run:
        room = Path(tempfile.mkdtemp(dir=self.folder))
        ledger = room / "ledger"
        execution = replace(self.execution, target=self._new_store(room), ledger=str(ledger))
        self.fresh()
        outcome = None
        if point is None:
            outcome = self.executor.execute(execution, elsewhere=elsewhere)
        else:
            to_be_killed = replace(execution, kill_at=point.number, side=point.side)
            survivor = self.executor.execute(to_be_killed)
            # It has not come to that commit where a run does not always make as many.
            outcome = survivor or self.executor.execute(execution, again=True)
        assert outcome is not None  # noqa: S101 - nothing killed it
        run = Run(outcome, Noted.read(ledger), self.outside(), killed=point is not None)
        shutil.rmtree(room)
        return run

    def _new_store(self, room: Path) -> str:
        target = target_in(room, self.store)
        if self.store == "sqlite":
            # Copied, for making one takes longer than a short workflow.
            template = self.folder / "empty.db"
            if not template.exists():
                open_engine(template, durability="process").close()
            shutil.copyfile(template, target)
        return target


def _spec(registry: Registry, workflow: str) -> HandlerSpec:
    spec = registry.get(workflow)
    if spec is None:
        raise HandlerNotFound(workflow, registry.names())
    if spec.command or not spec.is_workflow:
        raise InvalidRequest(
            f"{workflow!r} is a handler; give a workflow, registered with @app.workflow"
        )
    return spec


def _spread(points: list[KillPoint], at_most: int | None) -> Iterator[KillPoint]:
    """Yield at most so many of the points, the first and the last among them."""
    if at_most is None or at_most >= len(points):
        yield from points
        return
    for index in range(at_most):
        yield points[index * (len(points) - 1) // max(1, at_most - 1)]
