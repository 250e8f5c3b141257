"""Payloads, and when two texts are of one value."""

from __future__ import annotations

import pytest
from holdfast.domain.payload import EMPTY, JsonText, Payload, same_json


@pytest.mark.parametrize(
    ("payload", "changes"),
    [
        (EMPTY, False),
        (Payload(input=JsonText(b"1"), output=JsonText(b"2")), False),
        (Payload(state=JsonText(b"{}")), True),
        (Payload(patch=JsonText(b"{}")), True),
    ],
)
def test_changes_state_when_asked_then_state_and_patch_alone_count(
    payload: Payload, changes: bool
) -> None:
    assert payload.changes_state is changes


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (None, None, True),
        (None, b"null", True),
        (b"null", None, True),
        (b"{}", b"{}", True),
        (b'{"a":1,"b":2}', b'{"b":2,"a":1}', True),
        (b'{"a":[{"x":1,"y":2}]}', b' { "a" : [ {"y":2, "x":1} ] }', True),
        (b'"\\u00e9"', '"\u00e9"'.encode(), True),
        (b" 100000000000000000000", b"100000000000000000000", True),
        (None, b"{}", False),
        (None, b"0", False),
        (b"1", b"1.0", False),
        (b"1", b"true", False),
        (b"0.0", b"-0.0", False),
        (b"0", b"false", False),
        (b"[1,2]", b"[2,1]", False),
        (b'{"a":null}', b"{}", False),
        (b"100000000000000000000", b"1e20", False),
    ],
)
def test_same_json_when_two_texts_are_compared_then_value_and_type_decide(
    one: bytes | None, other: bytes | None, same: bool
) -> None:
    texts = [text if text is None else JsonText(text) for text in (one, other)]

    assert same_json(*texts) is same
