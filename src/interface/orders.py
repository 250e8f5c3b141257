"""What callers ask of an engine, as commands: the same for its synchronous and its async face."""

from __future__ import annotations

from collections.abc import Mapping

from ..application.payloads import payload_of
from ..application.runs.recover import Recover
from ..application.runs.start import Enter
from ..application.scopes import opening_entry
from ..domain.json_value import JsonObject, JsonValue
from ..domain.ports import HandlerSpec
from ..domain.retention import OwnRetention
from ..domain.scope import Scope
from .arguments import metadata_of, require_seconds
from .kernel import Kernel
from .targets import Target, target_of


def enter_order(
    kernel: Kernel,
    workflow_id: str,
    *,
    name: str | None = None,
    handler: str | None,
    input: JsonValue,
    state: JsonObject | None = None,
    metadata: Mapping[str, JsonValue] | None = None,
    max_retries: int,
    lease: float | None = None,
    silence: float | None = None,
    retention_days: float | None = None,
    retention_count: int | None = None,
) -> Enter:
    """Return the command that opens a workflow, or carries on one that is free."""
    require_seconds("lease", lease)
    require_seconds("silence", silence)
    entry = opening_entry(
        Scope(workflow_id),
        payload_of(kernel.codec, input=input, state=state, of=Scope(workflow_id)),
        name=name,
        resume_handler=handler,
        max_retries=max_retries,
        metadata=metadata_of(metadata, kernel.codec),
    )
    token = kernel.env.randomness.token()
    own = OwnRetention(retention_days, retention_count)
    return Enter(entry, handler, token, kernel.terms(lease, silence), own)


def start_order(
    kernel: Kernel,
    name: str,
    workflow_id: str,
    input: JsonValue,
) -> tuple[HandlerSpec, Enter]:
    """Return a registered workflow, and the command that starts it."""
    spec = kernel.registry.require_workflow(name)
    order = enter_order(
        kernel,
        workflow_id,
        handler=name,
        input=input,
        max_retries=spec.max_retries,
        retention_days=spec.retention_days,
        retention_count=spec.retention_count,
    )
    return spec, order


def recover_order(
    kernel: Kernel,
    id_or_workflow: Target | None,
    *,
    workflow_id: str | None,
    handler: str | None,
    timeout: float | None,
    force: bool,
    strict: bool,
) -> Recover:
    """Return the command that recovers a workflow."""
    require_seconds("timeout", timeout)
    return Recover(
        target_of(id_or_workflow, workflow_id),
        kernel.env.randomness.token(),
        kernel.terms(),
        handler,
        timeout,
        force,
        strict,
    )
