"""What a chain adds up to, to text and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.json_value import MAX_DEPTH, canonical
from holdfast.domain.replay import Replay
from holdfast.domain.scope import Scope
from holdfast.domain.scope_record import ScopeRecord
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite.keyframe_text import decode_keyframe, encode_keyframe
from holdfast.infrastructure.sqlite.rebuild import Rebuild
from hypothesis import given, settings
from hypothesis import strategies as st

CODEC = JsonCodec()
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT, STAGE, AGENT = Scope("w"), Scope("w", "s / \u00e4"), Scope("w", "s / \u00e4", "a@b%")
HEAD = CheckpointId.of(AGENT, 7)

texts = st.text(st.characters(exclude_categories=["Cs"]))
floats = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(2**64, 2**90) | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(["a", "b", ""]), values, max_size=3)
titles = st.none() | st.sampled_from(["one", "", "\n"])
moments = st.none() | st.integers(0, 10**9).map(lambda each: AT + timedelta(microseconds=each))


@st.composite
def rebuilds(draw: st.DrawFn) -> Rebuild:
    """A context in the making, with states of each kind, and scopes without one."""
    scopes = {}
    rebuild = Rebuild(CODEC)
    for scope in draw(st.lists(st.sampled_from([ROOT, STAGE, AGENT]), unique=True)):
        opening = draw(st.none() | st.integers(1, 6))
        scopes[scope] = ScopeRecord(
            title=draw(titles),
            kind=draw(titles),
            handler=draw(titles),
            input=draw(values),
            output=draw(values),
            opening=CheckpointId.of(scope, opening) if opening else None,
            since=draw(moments),
            until=draw(moments),
            is_open=draw(st.booleans()),
            is_finished=draw(st.booleans()),
        )
        how = draw(st.sampled_from(["nothing", "whole", "merged", "merged text"]))
        state: Any = draw(objects)
        if how == "whole":
            # As it was handed in: not as the codec would write it.
            rebuild.whole[scope] = CODEC.encode(state, "state") + b" "
        elif how == "merged":
            rebuild.merged[scope] = state
        elif how == "merged text":
            rebuild.merged[scope] = CODEC.encode(state, "state")
    rebuild.replay = Replay.resume(HEAD, scopes)
    return rebuild


@settings(deadline=None)
@given(rebuilds())
def test_decode_keyframe_when_encoded_then_every_record_and_state_comes_back(
    rebuild: Rebuild,
) -> None:
    text = encode_keyframe(rebuild)

    found = decode_keyframe(text, "w", CODEC)

    assert found.whole == rebuild.whole, "byte by byte"
    assert encode_keyframe(found) == text
    one, other = rebuild.finish(), found.finish()
    assert other.head == one.head == HEAD
    assert list(other.scopes) == list(one.scopes), "in their order"
    assert [_plain(each) for each in other.scopes.values()] == [
        _plain(each) for each in one.scopes.values()
    ]
    assert [scope for scope, _ in other.open_scopes()] == [scope for scope, _ in one.open_scopes()]


@pytest.mark.parametrize("member", ["input", "output", "state"])
def test_encode_keyframe_when_a_value_is_as_deep_as_it_may_be_then_it_comes_back(
    member: str,
) -> None:
    deep: Any = {"end": 1}
    for _ in range(MAX_DEPTH - 1):
        deep = {"d": deep}
    CODEC.encode(deep, "it may be written")
    rebuild = Rebuild(CODEC)
    record = ScopeRecord()
    if member == "state":
        rebuild.merged[AGENT] = deep
    else:
        setattr(record, member, deep)
    rebuild.replay = Replay.resume(HEAD, {AGENT: record})

    found = decode_keyframe(encode_keyframe(rebuild), "w", CODEC).finish()

    assert canonical(getattr(found.record(AGENT), member)) == canonical(deep)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}\n",
        b"[1,null,null]\n",
        b"[1,null,null,7]\n",
        b"[1,null,null,[[]]]\n",
        b"[1,null,null,[]]\nmore",
        b"[1,null,null,[[null,null,4,true]]]\n{}",
        b"[1,null,null,[[null,null,2,true]]]\n{}",
        b'["1",null,null,[]]\n',
        b"[0,null,null,[]]\n",
        b"not JSON\n",
    ],
)
def test_decode_keyframe_when_it_is_none_then_it_is_refused(text: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        decode_keyframe(text, "w", CODEC)


def test_encode_keyframe_when_the_chain_is_empty_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match="no keyframe"):
        encode_keyframe(Rebuild(CODEC))


def _plain(record: ScopeRecord) -> str:
    fields = {name: getattr(record, name) for name in ScopeRecord.__slots__}
    values = {name: fields.pop(name) for name in ("state", "input", "output")}
    return f"{fields!r} {canonical(values)}"
