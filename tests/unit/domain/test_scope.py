"""Scopes: which are legal, how they read, and which lie inside which."""

from __future__ import annotations

import pytest
from holdfast.domain.errors import InvalidId
from holdfast.domain.scope import Scope

WORKFLOW = Scope("w")
STAGE = Scope("w", "s")
AGENT = Scope("w", "s", "a")


@pytest.mark.parametrize(
    ("scope", "kind", "key", "text"),
    [
        (Scope("w"), "workflow", "", "w"),
        (Scope("w", "s"), "stage", "s", "w/s"),
        (Scope("w", "s", "a"), "agent", "s/a", "w/s/a"),
        (Scope("w/1", "s@2", "a%3"), "agent", "s%402/a%253", "w%2F1/s%402/a%253"),
        (Scope("..", ".", "\u3000"), "agent", "./\u3000", ".././\u3000"),
    ],
)
def test_scope_when_made_of_parts_then_kind_key_and_text_follow(
    scope: Scope, kind: str, key: str, text: str
) -> None:
    assert (scope.kind, scope.key, str(scope)) == (kind, key, text)
    assert Scope.parse(text) == scope
    assert Scope.within(scope.workflow_id, key) == scope


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        (("",), "workflow_id"),
        (("w", ""), "stage_id"),
        (("w", "s", ""), "agent_id"),
        (("a" * 201,), "workflow_id"),
        (("w", "s\n"), "stage_id"),
        (("w", "s", "\ud800"), "agent_id"),
        (("w", None, "a"), "agent_id"),
        ((None,), "workflow_id"),
        (("w", 7), "stage_id"),
    ],
)
def test_scope_when_a_part_is_illegal_then_the_error_names_it(
    parts: tuple[str, ...], what: str
) -> None:
    with pytest.raises(InvalidId) as caught:
        Scope(*parts)

    assert caught.value.what == what


def test_scope_when_an_agent_has_no_stage_then_the_error_says_so() -> None:
    with pytest.raises(InvalidId, match="an agent needs a stage_id"):
        Scope("w", agent_id="a")


@pytest.mark.parametrize(
    "text", ["", "/", "w/", "/s", "w//a", "w/s/", "w/s/a/b", "w@1", "w/s@1", "%", "w/%2f", None, 7]
)
def test_parse_when_text_is_no_scope_then_it_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        Scope.parse(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "workflow_id"),
        ("%", "workflow_id"),
        ("w/%2f", "stage_id"),
        ("w/", "stage_id"),
        ("w/s/@", "agent_id"),
        ("w/s/a/b", "scope"),
    ],
)
def test_parse_when_one_part_is_wrong_then_the_error_names_it(text: str, what: str) -> None:
    with pytest.raises(InvalidId) as caught:
        Scope.parse(text)

    assert caught.value.what == what


@pytest.mark.parametrize("key", ["/", "s/", "/a", "s@1", "%2f"])
def test_within_when_key_is_malformed_then_it_is_refused(key: str) -> None:
    with pytest.raises(InvalidId):
        Scope.within("w", key)


@pytest.mark.parametrize(
    ("scope", "lineage"),
    [
        (WORKFLOW, (WORKFLOW,)),
        (STAGE, (STAGE, WORKFLOW)),
        (AGENT, (AGENT, STAGE, WORKFLOW)),
    ],
)
def test_lineage_when_asked_then_it_runs_from_the_innermost_to_the_workflow(
    scope: Scope, lineage: tuple[Scope, ...]
) -> None:
    assert scope.lineage == lineage
    assert scope.workflow == WORKFLOW


@pytest.mark.parametrize(
    ("outer", "inner", "encloses"),
    [
        (WORKFLOW, STAGE, True),
        (WORKFLOW, AGENT, True),
        (STAGE, AGENT, True),
        (WORKFLOW, WORKFLOW, False),
        (STAGE, STAGE, False),
        (AGENT, AGENT, False),
        (STAGE, WORKFLOW, False),
        (AGENT, STAGE, False),
        (AGENT, Scope("w", "s", "b"), False),
        (STAGE, Scope("w", "t"), False),
        (STAGE, Scope("w", "t", "a"), False),
        (WORKFLOW, Scope("v", "s"), False),
        (STAGE, Scope("v", "s", "a"), False),
        (WORKFLOW, Scope("w2"), False),
    ],
)
def test_encloses_when_asked_then_only_what_is_strictly_inside_counts(
    outer: Scope, inner: Scope, encloses: bool
) -> None:
    assert outer.encloses(inner) is encloses


def test_scope_when_changed_then_it_is_refused() -> None:
    scope = Scope("w")

    with pytest.raises(AttributeError):
        scope.workflow_id = "v"  # type: ignore[misc]


def test_scope_when_equal_then_it_is_one_key() -> None:
    assert {Scope("w", "s"): 1}[Scope("w", "s")] == 1
    assert Scope("w", "s") != Scope("w", "s", "s")


def test_scope_when_made_anew_of_another_then_its_parts_are_checked() -> None:
    assert AGENT._replace(agent_id="b") == Scope("w", "s", "b")
    assert Scope._make(["w", "s", None]) == STAGE
    with pytest.raises(InvalidId, match="an agent needs a stage_id"):
        AGENT._replace(stage_id=None)
    with pytest.raises(InvalidId, match="workflow_id"):
        Scope._make(["", None, None])
