"""The command that carries on by itself what nobody carries on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

import click

from ...domain.circuit_breaker import BreakerPolicy
from .shell import Shell

if TYPE_CHECKING:
    from ..configuration.values import Supervision
    from ..supervise.schedule import Schedule


@click.command("supervise")
@click.option("--once", is_flag=True, help="Do what is to be done now, then end.")
@click.option("--interval", type=float, help="Seconds between two looks at the store.")
@click.option("--at-once", type=int, help="Recoveries side by side, at most.")
@click.option("--grace", type=float, help="Seconds for what is under way when told to stop.")
@click.pass_obj
def supervise_command(
    shell: Shell,
    once: bool,
    interval: float | None,
    at_once: int | None,
    grace: float | None,
) -> None:
    """Recover what is due, and purge, until told to stop.

    What is stale, failed and due, answered or waited out is carried on; the store is purged on the
    schedule in the configuration. Any number of supervisors may run on one store. SIGTERM and
    SIGINT end it cleanly: what is under way may end within the grace, or is handed back. Writes one
    log line a look on standard error.
    """
    from ..arguments import require_seconds
    from ..supervise.purging import Purging
    from ..supervise.supervisor import SuperviseOptions, Supervisor

    require_seconds("interval", interval)
    require_seconds("grace", grace)
    if at_once is not None and at_once < 1:
        raise click.UsageError("--at-once must be 1 or more.")
    shell.give("log_level", "info")
    configured = shell.config.supervise
    circuit = configured.circuit
    options = SuperviseOptions(
        interval=configured.interval if interval is None else interval,
        at_once=configured.at_once if at_once is None else at_once,
        grace=configured.grace if grace is None else grace,
        breaker=BreakerPolicy(circuit.failures, circuit.window, circuit.pause, circuit.successes),
    )
    stop = threading.Event()
    with shell.engine(writable=True) as engine, _stopped_by_signals(stop.set):
        purging = Purging(engine, stop)
        schedule = _schedule(configured)
        supervisor = Supervisor(engine, options, schedule=schedule, purge=purging.begin)
        supervisor.run(stop, once=once)
        purging.finish()


def _schedule(configured: Supervision) -> Schedule | None:
    from ..supervise.schedule import Cron, Every

    if configured.purge_at is not None:
        return Cron(configured.purge_at)
    return Every(configured.purge_every) if configured.purge_every is not None else None


class _stopped_by_signals:  # noqa: N801 - used as a function is
    """Call *stop* on SIGTERM and SIGINT while the block lasts; a second one interrupts."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._before: dict[int, object] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._receive)

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]

    def _receive(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        for each, before in self._before.items():
            signal.signal(each, before)  # type: ignore[arg-type]
        # Not here: the thread that is interrupted may hold the event's own lock.
        threading.Thread(target=self._stop, daemon=True).start()
