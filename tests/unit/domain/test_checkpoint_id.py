"""Checkpoint ids as values, as texts and as paths."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from holdfast.domain.checkpoint_id import MAX_SEQUENCE, CheckpointId, parse_target
from holdfast.domain.errors import HoldfastError, InvalidId
from holdfast.domain.scope import Scope


@pytest.mark.parametrize(
    ("checkpoint_id", "text"),
    [
        (CheckpointId("workflow", "stage", "agent", 42), "workflow/stage/agent@42"),
        (CheckpointId("workflow", "stage", None, 7), "workflow/stage@7"),
        (CheckpointId("workflow", None, None, 1), "workflow@1"),
        (CheckpointId("w/1", "s@2", "a%3", 4), "w%2F1/s%402/a%253@4"),
        (CheckpointId("..", "CON", "🦑 x", 1), "../CON/🦑 x@1"),
        (CheckpointId("w", None, None, MAX_SEQUENCE), "w@9223372036854775807"),
    ],
)
def test_text_when_written_then_it_parses_back_to_the_same_id(
    checkpoint_id: CheckpointId, text: str
) -> None:
    assert str(checkpoint_id) == text
    assert CheckpointId.parse(text) == checkpoint_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "w",
        "@",
        "@1",
        "w@",
        "w@0",
        "w@-1",
        "w@+1",
        "w@01",
        "w@1 ",
        "w@ 1",
        "w@1\n",
        "w@1_0",
        "w@1.0",
        "w@0x1",
        "w@\u0661",
        "w@\u00b2",
        "w@1@2",
        "w/@1",
        "/s@1",
        "w//a@1",
        "w/s/a/b@1",
        "w%2f1@1",
        "w%@1",
        "w@9223372036854775808",
        "w@" + "9" * 5000,
        None,
        7,
        b"w@1",
    ],
)
def test_parse_when_text_is_no_id_then_it_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        CheckpointId.parse(text)


@pytest.mark.parametrize("sequence", [0, -1, 2**63, True, 1.0, "1", None])
def test_id_when_sequence_is_no_positive_64_bit_integer_then_it_is_refused(sequence: int) -> None:
    with pytest.raises(InvalidId) as caught:
        CheckpointId("w", None, None, sequence)

    assert caught.value.what == "sequence"


def test_id_when_sequence_is_astronomic_then_it_is_refused_like_any_other() -> None:
    # Python does not write integers of more than 4,300 digits: the message must not try.
    with pytest.raises(HoldfastError):
        CheckpointId("w", None, None, 10**5000)


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        (("", None, None), "workflow_id"),
        (("w", "", None), "stage_id"),
        (("w", "s", "\n"), "agent_id"),
        (("w", None, "a"), "agent_id"),
    ],
)
def test_id_when_a_part_is_illegal_then_the_error_names_it(
    parts: tuple[str, str | None, str | None], what: str
) -> None:
    with pytest.raises(InvalidId) as caught:
        CheckpointId(*parts, 1)

    assert caught.value.what == what


@pytest.mark.parametrize("scope", [Scope("w"), Scope("w", "s"), Scope("w", "s", "a")])
def test_of_when_given_a_scope_then_the_id_is_of_that_scope(scope: Scope) -> None:
    checkpoint_id = CheckpointId.of(scope, 3)

    assert checkpoint_id.scope == scope
    assert checkpoint_id.sequence == 3


@pytest.mark.parametrize(
    ("checkpoint_id", "path"),
    [
        (CheckpointId("w", None, None, 1), "w/@000000000001"),
        (CheckpointId("w", "s", "a", 42), "w/s/a/@000000000042"),
        (CheckpointId("w", None, None, MAX_SEQUENCE), "w/@9223372036854775807"),
    ],
)
def test_path_when_parts_are_plain_then_each_is_a_folder(
    checkpoint_id: CheckpointId, path: str
) -> None:
    assert checkpoint_id.path == PurePosixPath(path)


@pytest.mark.parametrize("part", ["..", ".", "/", "/etc/passwd", "../../x", "a/../..", "C:\\x"])
def test_path_when_a_part_looks_like_a_path_then_it_stays_inside_the_folder(part: str) -> None:
    path = CheckpointId(part, part, part, 1).path

    assert not path.is_absolute()
    assert len(path.parts) == 4
    assert not {".", "..", "/"} & set(path.parts)
    assert not any("\\" in each or ":" in each for each in path.parts)


def test_id_when_equal_then_it_is_one_key_and_cannot_be_changed() -> None:
    checkpoint_id = CheckpointId("w", "s", None, 1)

    assert {checkpoint_id: "x"}[CheckpointId("w", "s", None, 1)] == "x"
    with pytest.raises(AttributeError):
        checkpoint_id.sequence = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("w", Scope("w")),
        ("w%2F1", Scope("w/1")),
        ("w%401", Scope("w@1")),
        ("w@3", CheckpointId("w", None, None, 3)),
        ("w/s@3", CheckpointId("w", "s", None, 3)),
        ("w/s/a@3", CheckpointId("w", "s", "a", 3)),
    ],
)
def test_parse_target_when_text_names_a_workflow_or_a_checkpoint_then_that_comes_back(
    text: str, target: CheckpointId | Scope
) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize("text", ["", "w/s", "w/s/a", "w@x", "w@", "w/s/a/b", "w%", None, 3])
def test_parse_target_when_text_names_neither_then_it_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        parse_target(text)


def test_id_when_made_anew_of_another_then_its_parts_are_checked() -> None:
    checkpoint_id = CheckpointId("w", "s", None, 7)

    assert checkpoint_id._replace(sequence=8) == CheckpointId("w", "s", None, 8)
    assert CheckpointId._make(["w", "s", None, 7]) == checkpoint_id
    with pytest.raises(InvalidId, match="sequence"):
        checkpoint_id._replace(sequence=0)
    with pytest.raises(InvalidId, match="workflow_id"):
        CheckpointId._make(["", None, None, 1])
