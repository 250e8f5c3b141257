"""What the faces of an engine stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..application.dispatcher import Dispatcher
from ..application.environment import Environment
from ..domain.checkpoint_id import CheckpointId
from ..domain.execution_context import ExecutionContext, context_of
from ..domain.json_value import JsonObject, JsonValue
from ..domain.lease import Credentials
from ..domain.ports import Codec, Journal, Store
from ..domain.ports.processes import Processes, SignsOfLife
from ..domain.replay import Replay
from ..domain.retention import Retention
from ..domain.run_handover import RunHandover, text_of
from ..domain.scope import Scope
from .keepers import Keepers
from .log import Log
from .registry import Registry
from .settings import Settings
from .stopping import Stopping

if TYPE_CHECKING:
    from ..application.runs.attempt import AttemptKit
    from ..application.runs.lease_keeper import LeaseKeeper
    from ..application.runs.session import LeaseTerms, Session
    from ..application.runs.step import StepKit


@dataclass(frozen=True, slots=True)
class Kernel:
    """What the synchronous and the asynchronous face of an engine share.

    Attributes:
        handover: the lease of the run that this process is a child of, if it is of this store.
        signs: where a child of a run shows that it is alive.
        handlers_print_to: where the standard output of handlers' own processes goes.
        log: how the log is written, where it is not the program's own logger that writes it.
        retention: the store's policy.
        handed_on: what children find in their environment beside that of this process: what options
            said to it.
        stopping: set, it ends the handlers' own processes, and hands back what they carried on.
        on_work: told of each step and agent whose work begins, its start being durable.
    """

    store: Store
    dispatcher: Dispatcher
    keepers: Keepers
    codec: Codec
    registry: Registry
    settings: Settings
    processes: Processes
    durability: str = "power"
    handover: RunHandover | None = None
    signs: SignsOfLife | None = None
    handlers_print_to: Literal["stdout", "stderr"] = "stdout"
    stopping: Stopping = field(default_factory=Stopping)
    journal: Journal | None = None
    retention: Retention = field(default_factory=Retention)
    log: Log | None = None
    handed_on: Mapping[str, str] = field(default_factory=dict)
    on_work: Callable[[Scope], object] | None = None

    @property
    def keeper(self) -> LeaseKeeper:
        """What keeps the leases of runs."""
        return self.keepers.get()

    @property
    def env(self) -> Environment:
        """The ports that are not part of a transaction."""
        return self.dispatcher.env

    @property
    def attempts(self) -> AttemptKit:
        """What every attempt works with."""
        from ..application.runs.attempt import AttemptKit

        return AttemptKit(self.env, self.codec, self.keeper)

    def inherited(self, workflow_id: str) -> Credentials | None:
        """Return the credentials that were handed to this process for a workflow, if they were."""
        if self.handover is None or self.handover.workflow != text_of(workflow_id):
            return None
        return self.handover.credentials

    def steps(self, session: Session) -> StepKit:
        """Return what every step of a run works with."""
        from ..application.runs.step import StepKit

        return StepKit(session, self.codec, self.env, self.on_work)

    def context(self, replay: Replay) -> ExecutionContext:
        """Return the context that *replay* adds up to, with a chain that is read when asked for."""

        def read_chain() -> tuple[CheckpointId, ...]:
            head = replay.head
            if head is None:
                return ()
            return self.store.read(lambda uow: uow.checkpoints.chain(head))

        return context_of(replay, read_chain)

    def state(self, session: Session, scope: Scope) -> JsonObject:
        """Return the state of *scope* as the session left it, for the caller to keep."""
        state: JsonObject = self.fresh(session.state(scope))
        return state

    def fresh_replay(self, replay: Replay) -> Replay:
        """Return a copy whose values the caller may keep, and change, without any effect."""
        copied = replay.copy()
        for record in copied.scopes.values():
            record.state = self.fresh(record.state)
            record.input = self.fresh(record.input)
            record.output = self.fresh(record.output)
        return copied

    def fresh(self, value: JsonValue) -> JsonValue:
        """Return a copy of a value that was stored."""
        return self.codec.decode(self.codec.encode(value, "value"))

    def terms(self, lease: float | None = None, silence: float | None = None) -> LeaseTerms:
        """Return the terms of a lease; what is ``None`` is as set."""
        from ..application.runs.session import LeaseTerms

        return LeaseTerms(
            self.settings.lease if lease is None else lease,
            self.settings.silence if silence is None else silence,
        )
