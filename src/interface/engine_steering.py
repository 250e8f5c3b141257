"""The part of an engine that steers workflows from outside: answer, cancel, retry, fork."""

from __future__ import annotations

from contextlib import suppress

from ..domain.checkpoint import Checkpoint
from ..domain.errors import Purged
from ..domain.json_value import JsonValue
from ..domain.scope import Scope
from .engine_base import EngineBase
from .targets import CheckpointRef, WorkflowRef, checkpoint_of, workflow_of


class Steering(EngineBase):
    """The part of an engine that steers workflows from outside."""

    def answer(
        self,
        workflow: WorkflowRef | None = None,
        name: str = "",
        value: JsonValue = None,
        *,
        workflow_id: str | None = None,
    ) -> Checkpoint:
        """Answer what a workflow waits for; return the checkpoint that holds the answer.

        The first answer counts. The workflow is carried on by the next `recover`, `start` or
        supervisor.

        Args:
            name: what `Run.wait` was called with.
            value: JSON; what `Run.wait` returns.

        Raises:
            NotFound: there is no such workflow.
            NotAsked: it does not ask that, or not yet; names what it asks.
            AlreadyAnswered: somebody else was first.
            AnsweredTooLate: its time was over.
        """
        from ..application.commands.answer_question import AnswerQuestion, answer_question
        from ..application.payloads import payload_of
        from ..application.waits import ANSWER_KEY

        subject = workflow_of(workflow, workflow_id)
        payload = payload_of(self._kernel.codec, state={ANSWER_KEY: value})
        command = AnswerQuestion(subject, name, payload)
        return self._kernel.dispatcher.execute(answer_question, command)

    def cancel(
        self, workflow: WorkflowRef | None = None, *, workflow_id: str | None = None
    ) -> bool:
        """Ask a run to stop; return whether its workflow is killed already.

        A run sees it at its next checkpoint, which raises `Cancelled`, and as `Run.cancelled`; its
        open scopes become killed. Where nobody carries the workflow on they are killed at once.

        Raises:
            NotFound: there is no such workflow.
            IllegalTransition: it is completed, or killed already.
        """
        from ..application.commands.cancel_workflow import CancelWorkflow, cancel_workflow

        command = CancelWorkflow(workflow_of(workflow, workflow_id))
        return self._kernel.dispatcher.execute(cancel_workflow, command)

    def retry(
        self, workflow: WorkflowRef | None = None, *, workflow_id: str | None = None
    ) -> Checkpoint:
        """Open a killed workflow anew, with all of its retries; return its new opening.

        What was finished stays finished. It is carried on by the next `recover`, `start` or
        supervisor.

        Raises:
            NotFound: there is no such workflow.
            IllegalTransition: it is not killed.
        """
        from ..application.commands.retry_workflow import RetryWorkflow, retry_workflow

        command = RetryWorkflow(workflow_of(workflow, workflow_id))
        return self._kernel.dispatcher.execute(retry_workflow, command)

    def fork(self, id: CheckpointRef, new_workflow_id: str) -> Checkpoint:
        """Start a new workflow from what a chain adds up to; return its opening.

        The new workflow stands for itself: finished stages and agents are finished in it, and are
        not run again; the workflow itself is open, also when the other one is completed. Nothing of
        the other changes.

        Args:
            id: the checkpoint to start from.
            new_workflow_id: a raw name that is free.

        Raises:
            NotFound: there is no such checkpoint.
            InvalidRequest: the name is taken.
        """
        from ..application.commands.fork_workflow import ForkWorkflow, fork_entries, fork_workflow
        from ..application.queries.get_checkpoint import GetCheckpoint, get_checkpoint

        source = checkpoint_of(id)
        self._kernel.dispatcher.ask(get_checkpoint, GetCheckpoint(source))
        replay = self._kernel.dispatcher.read(lambda uow: uow.checkpoints.replay(source))
        opened_by = replay.record(Scope(source.workflow_id)).opening
        opening = None
        if opened_by is not None:
            with suppress(Purged):  # what it said of input and handler is in the context
                opening = self._kernel.dispatcher.ask(get_checkpoint, GetCheckpoint(opened_by))
        entries = fork_entries(source, replay, opening, new_workflow_id, self._kernel.codec)
        command = ForkWorkflow(new_workflow_id, entries)
        return self._kernel.dispatcher.execute(fork_workflow, command)
