"""The part of an engine that writes checkpoints outside of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..application.commands.create_checkpoint import CreateCheckpoint, create_checkpoint
from ..application.payloads import payload_of
from ..application.runs.flow import Execute, Flow
from ..application.scribe import Entry
from ..domain.checkpoint import DEFAULT_MAX_RETRIES, Checkpoint
from ..domain.checkpoint_type import CheckpointType
from ..domain.error_record import ErrorRecord
from ..domain.errors import InvalidRequest
from ..domain.json_value import JsonObject, JsonValue
from ..domain.scope import Scope
from .arguments import chosen, metadata_of, require_patience
from .engine_base import EngineBase
from .targets import CheckpointRef, WorkflowRef, checkpoint_of, workflow_of

if TYPE_CHECKING:
    from ..application.runs.session import Session


class Writing(EngineBase):
    """The part of an engine that writes checkpoints outside of runs."""

    def checkpoint(
        self,
        workflow_id: str,
        *,
        type: str = "progress",
        name: str | None = None,
        stage_id: str | None = None,
        agent_id: str | None = None,
        state: JsonObject | None = None,
        patch: JsonObject | None = None,
        input: JsonValue = None,
        output: JsonValue = None,
        resume_handler: str | None = None,
        parent: CheckpointRef | None = None,
        depends_on: Iterable[CheckpointRef] = (),
        max_retries: int = DEFAULT_MAX_RETRIES,
        metadata: Mapping[str, JsonValue] | None = None,
        timeout: float | None = None,
    ) -> Checkpoint:
        """Write a checkpoint and return it; on return it is durable.

        Args:
            workflow_id: a raw name.
            type: one of `CheckpointType`.
            state: replaces the state of the scope: workflow, stage or agent.
            patch: merges into it (RFC 7396).
            resume_handler: who carries the scope on; the first to name one opens the workflow.
            parent: start again from this older checkpoint; by default the workflow's head.
            depends_on: checkpoints of the workflow whose results it builds on.
            metadata: small, and searchable with `list`.
            timeout: seconds to wait out a lock or a disk; a call that runs into it may have saved,
                never half.

        Raises:
            InvalidId, StateNotSerializable, StateTooLarge, InvalidRequest: nothing was written.
            LeaseHeld: somebody else carries the workflow on.
            ScopeOpen, IllegalTransition: its scope does not allow it as things stand.

        >>> import holdfast
        >>> with holdfast.open("memory:") as engine:
        ...     first = engine.checkpoint("nightly", state={"rows": 3}, metadata={"team": "blue"})
        ...     second = engine.checkpoint("nightly", patch={"rows": 4, "done": True})
        ...     print(engine.context("nightly").workflow_state)
        ...     print([str(each.id) for each in engine.list(metadata={"team": "blue"})])
        {'rows': 4, 'done': True}
        ['nightly@1']
        """
        if timeout is not None:
            require_patience(timeout)
        scope = Scope(workflow_id, stage_id, agent_id)
        payload = payload_of(
            self._kernel.codec, state=state, patch=patch, input=input, output=output, of=scope
        )
        entry = Entry(
            scope,
            chosen(CheckpointType, "type", type),
            payload,
            name=name,
            resume_handler=resume_handler,
            depends_on=tuple(map(checkpoint_of, depends_on)) if depends_on else (),
            max_retries=max_retries,
            metadata=metadata_of(metadata, self._kernel.codec) if metadata else {},
        )
        session = self._kernel.keeper.session_of(workflow_id)
        command = CreateCheckpoint(
            entry,
            checkpoint_of(parent) if parent is not None else None,
            credentials=session.credentials
            if session is not None
            else self._kernel.inherited(workflow_id),
        )
        return self._driver.run(self._save(command, session, timeout))

    def _save(
        self, command: CreateCheckpoint, session: Session | None, timeout: float | None
    ) -> Flow[Checkpoint]:
        created: Checkpoint = yield Execute(create_checkpoint, command, timeout)
        if session is not None:
            session.touch()
            self._note_state(session, command.entry.scope, command.entry.payload)
        else:
            self._give_sign(command.entry.scope.workflow_id)
        return created

    def complete(
        self,
        id: CheckpointRef,
        output: JsonValue = None,
        *,
        abandon: bool = False,
    ) -> Checkpoint:
        """Close the scope of a checkpoint and return the closing checkpoint.

        Args:
            abandon: close the scopes left open inside as killed, instead of raising `ScopeOpen`.
        """
        from ..application.commands.complete_checkpoint import (
            CompleteCheckpoint,
            complete_checkpoint,
        )

        scope = self._scope_of(id)
        command = CompleteCheckpoint(
            scope,
            payload_of(self._kernel.codec, output=output, of=scope),
            abandon=f"abandoned when {scope} was completed" if abandon else None,
            credentials=self._credentials(scope.workflow_id),
        )
        return self._write(complete_checkpoint, command, scope.workflow_id)

    def fail(self, id: CheckpointRef, error: BaseException | ErrorRecord | str) -> Checkpoint:
        """Record that the work of a checkpoint's scope raised; return the failing checkpoint."""
        from ..application.commands.fail_checkpoint import FailCheckpoint, fail_checkpoint

        scope = self._scope_of(id)
        if isinstance(error, str):
            error = ErrorRecord("Error", error)
        elif isinstance(error, BaseException):
            error = ErrorRecord.of(error)
        elif not isinstance(error, ErrorRecord):
            kind = type(error).__name__
            raise InvalidRequest(f"error is {kind}; give an exception, an ErrorRecord or a text")
        command = FailCheckpoint(scope, error, self._credentials(scope.workflow_id))
        return self._write(fail_checkpoint, command, scope.workflow_id)

    def heartbeat(
        self, workflow: WorkflowRef | None = None, *, workflow_id: str | None = None
    ) -> None:
        """Record a sign of life of a workflow that is not under a lease."""
        from ..application.commands.heartbeat import Heartbeat, heartbeat

        name = workflow_of(workflow, workflow_id)
        self._write(heartbeat, Heartbeat(name, self._credentials(name)), name)

    def _scope_of(self, id: CheckpointRef) -> Scope:
        from ..application.queries.get_checkpoint import GetCheckpoint, get_checkpoint

        found = self._kernel.dispatcher.ask(get_checkpoint, GetCheckpoint(checkpoint_of(id)))
        return found.scope
