"""Whatever things are called, each has its own place in a store of JSON files, on every system."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.scope import Scope
from holdfast.infrastructure.json_files import layout
from hypothesis import given, settings
from hypothesis import strategies as st

from .test_id_properties import AWKWARD, VIEWS, checkpoint_ids, similar_ids, why_unsafe

types = st.sampled_from(list(CheckpointType))
# With the longest ending that a name is given.
_LONGEST = 120 + len(".json.gz.tmp")


def _places(checkpoint_id: CheckpointId, type_: CheckpointType) -> list[str]:
    """Return the paths of all that a store keeps of a checkpoint and its workflow."""
    name, sequence = checkpoint_id.workflow_id, checkpoint_id.sequence
    return [
        layout.checkpoint(checkpoint_id, type_),
        layout.pointer(name),
        layout.retention(name),
        layout.context(name, sequence),
        layout.attempt(name, sequence),
        layout.event_file(name, sequence),
        layout.lease(name),
        layout.unfinished(layout.bucket(name)),
        layout.segment(sequence),
    ]


def _why_not(part: str) -> str | None:
    # Sequences and chunks begin with @, so that no name of a stage or agent is taken for one.
    return why_unsafe(part[1:] if part.startswith("@") else part[:120])


@settings(deadline=None, max_examples=200)
@given(checkpoint_ids, types)
def test_places_when_named_anyhow_then_they_are_inside_and_every_system_takes_them(
    checkpoint_id: CheckpointId, type_: CheckpointType
) -> None:
    for place in _places(checkpoint_id, type_):
        parts = PurePosixPath(place).parts
        assert parts == PureWindowsPath(place).parts
        assert not PurePosixPath(place).is_absolute() and not PureWindowsPath(place).is_reserved()
        assert [part for part in parts if _why_not(part) or len(part) > _LONGEST] == []
        assert place.isascii()


@settings(deadline=None, max_examples=300)
@given(similar_ids(), types)
def test_places_when_ids_differ_then_no_file_system_takes_one_for_the_other(
    pair: tuple[CheckpointId, CheckpointId], type_: CheckpointType
) -> None:
    one, other = pair
    for view in VIEWS.values():
        assert view(layout.checkpoint(one, type_)) != view(layout.checkpoint(other, type_))
        if one.workflow_id != other.workflow_id:
            for place in (layout.workflow, layout.lease):
                assert view(place(one.workflow_id)) != view(place(other.workflow_id))


@pytest.mark.parametrize("view", VIEWS)
def test_folders_when_of_all_awkward_names_then_each_has_its_own_as_workflow_stage_and_agent(
    view: str,
) -> None:
    see = VIEWS[view]
    workflows = {see(layout.workflow(name)) for name in AWKWARD}
    leases = {see(layout.lease(name)) for name in AWKWARD}
    stages = {see(layout.scope_folder(Scope("wf", name), layout.chunk(1))) for name in AWKWARD}
    agents = {see(layout.scope_folder(Scope("wf", "s", name), layout.chunk(1))) for name in AWKWARD}

    assert [len(each) for each in (workflows, leases, stages, agents)] == [len(AWKWARD)] * 4
