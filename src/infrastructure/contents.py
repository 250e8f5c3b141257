"""What a checkpoint holds, read from its store when asked for."""

from __future__ import annotations

from functools import cached_property

from ..domain.checkpoint_id import CheckpointId
from ..domain.execution_context import agent_snapshot, stage_snapshot, workflow_snapshot
from ..domain.json_value import JsonObject, JsonValue
from ..domain.payload import Payload
from ..domain.ports import Codec, Store
from ..domain.replay import Replay
from ..domain.snapshots import AgentStateSnapshot, StageStateSnapshot, WorkflowStateSnapshot


class StoredContents:
    """What a checkpoint holds and adds up to; each part is read once, when asked for."""

    def __init__(self, store: Store, codec: Codec, checkpoint_id: CheckpointId) -> None:
        self._store = store
        self._codec = codec
        self._id = checkpoint_id

    @property
    def input(self) -> JsonValue:
        """What the scope was given, as recorded with this checkpoint."""
        return self._codec.decode(self._payload.input or b"null")

    @property
    def output(self) -> JsonValue:
        """What the scope gave, as recorded with this checkpoint."""
        return self._codec.decode(self._payload.output or b"null")

    @property
    def state(self) -> JsonObject:
        """The state of its own scope as of this checkpoint."""
        return self._replay.record(self._id.scope).state

    @property
    def workflow(self) -> WorkflowStateSnapshot:
        """The workflow as of this checkpoint."""
        return workflow_snapshot(self._replay, self._id.workflow_id)

    @property
    def stage(self) -> StageStateSnapshot | None:
        """The checkpoint's stage as of this checkpoint, where it has one."""
        return stage_snapshot(self._replay, self._id.scope)

    @property
    def agent(self) -> AgentStateSnapshot | None:
        """The checkpoint's agent as of this checkpoint, where it has one."""
        return agent_snapshot(self._replay, self._id.scope)

    @cached_property
    def _payload(self) -> Payload:
        return self._store.read(lambda uow: uow.checkpoints.payload(self._id))

    @cached_property
    def _replay(self) -> Replay:
        return self._store.read(lambda uow: uow.checkpoints.replay(self._id))
