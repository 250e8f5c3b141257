"""Edits of bytes between two texts."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from random import Random

import orjson
import pytest
from holdfast.infrastructure.sqlite.differences import apply_difference, encode_difference
from holdfast.infrastructure.text_difference import Edit, apply, difference, makes
from hypothesis import given, settings
from hypothesis import strategies as st

MUCH = 1 << 30
# Long enough to be found again; each different.
A, B, C = (bytes(range(start, start + 80)) for start in (0, 80, 160))


@pytest.mark.parametrize(
    ("old", "new", "edits"),
    [
        (b"", b"", []),
        (A, A, []),
        (b"", b"new", [Edit(0, 0, b"new")]),
        (b"old", b"", [Edit(0, 3, b"")]),
        (b'{"n":1}', b'{"n":1.0}', [Edit(6, 6, b".0")]),
        (b"[1,1,1]", b"[1,1]", [Edit(4, 6, b"")]),
        (A + C, A + B + C, [Edit(80, 80, B)]),
        (A + B + C, A + C, [Edit(80, 160, b"")]),
        (A + B + C, b"x" + A + b"y" + B + C + b"z", None),
        (A + B, B + A, None),
    ],
)
def test_difference_when_something_was_changed_then_its_edits_make_the_new_text(
    old: bytes, new: bytes, edits: list[Edit] | None
) -> None:
    found = difference(old, new, most=MUCH)

    assert found is not None
    assert apply(old, found) == new
    if edits is not None:
        assert found == edits


def test_difference_when_there_are_two_changes_far_apart_then_each_is_an_edit() -> None:
    found = difference(A + b"1" + B + C + b"2", A + b"3" + B + C + b"4", most=2)

    assert found == [Edit(80, 81, b"3"), Edit(241, 242, b"4")]


def test_difference_when_it_would_hold_more_than_allowed_then_there_is_none() -> None:
    assert difference(b"", b"four", most=4) == [Edit(0, 0, b"four")]
    assert difference(b"", b"four", most=3) is None


def test_apply_when_given_a_bytearray_then_it_is_edited_in_place() -> None:
    text = bytearray(b"one two")

    assert apply(text, [Edit(0, 3, b"1"), Edit(7, 7, b"!")]) is text
    assert text == b"1 two!"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_difference_when_texts_are_of_few_letters_then_it_gives_back_the_new_one(
    data: st.DataObject,
) -> None:
    # Few letters: everything is found everywhere, and stretches overlap.
    texts = st.binary(max_size=600).map(lambda text: bytes(each % 3 + 97 for each in text))
    old = data.draw(texts)
    cut = data.draw(st.integers(0, len(old)))
    new = data.draw(texts) + old[cut:] + data.draw(texts) + old[:cut]

    found = difference(old, new, most=MUCH)

    assert found is not None
    assert apply(old, found) == new
    assert [each.start for each in found] == sorted(each.start for each in found)
    assert all(one.end <= two.start for one, two in pairwise(found))


def test_difference_when_lists_of_records_change_here_and_there_then_it_is_small() -> None:
    random = Random(1)
    records = [{"id": n, "text": random.randbytes(60).hex(), "ok": True} for n in range(2000)]
    old = orjson.dumps(records)
    for _ in range(10):
        del records[random.randrange(len(records))]
        records.insert(random.randrange(len(records)), {"id": 0, "text": "new", "ok": 1})
    new = orjson.dumps(records)

    stored = encode_difference(old, new)

    assert stored is not None
    assert len(stored) < len(new) / 100


def test_difference_when_the_text_repeats_itself_then_the_time_does_not_explode() -> None:
    old = b"[" + b"0," * 500_000 + b"0]"
    new = b"[" + b"0," * 250_000 + b"1," + b"0," * 249_990 + b"7]"
    begun = time.process_time()

    found = difference(old, new, most=MUCH)

    assert found is not None
    assert apply(old, found) == new
    assert time.process_time() - begun < 20, "not quadratic: that would take hours"


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=12),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3), st.binary(max_size=3)), max_size=4),
    st.booleans(),
    st.binary(max_size=2),
)
def test_makes_when_edits_are_in_order_then_it_says_what_applying_them_would_show(
    old: bytes, places: list[tuple[int, int, bytes]], right: bool, instead: bytes
) -> None:
    edits: list[Edit] = []
    for start, size, text in sorted(places):
        if start + size <= len(old) and (not edits or start >= edits[-1].end):
            edits.append(Edit(start, start + size, text))
    new = bytes(apply(old, edits))
    if not right:
        new = new[: len(new) // 2] + instead + new[len(new) // 2 + 1 :]

    assert makes(old, edits, new) == (apply(old, edits) == new)


@pytest.mark.parametrize("edits", [[Edit(2, 1, b"")], [Edit(1, 2, b"b"), Edit(0, 1, b"a")]])
def test_makes_when_edits_are_not_in_order_then_they_are_refused(edits: list[Edit]) -> None:
    assert not makes(b"abc", edits, b"abc")


# As they are stored.


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=60))
def test_apply_difference_when_it_was_encoded_then_the_new_text_comes_back(
    start: bytes, end: bytes, middle: bytes
) -> None:
    old, new = start + end, start + middle + end

    stored = encode_difference(old, new)

    if stored is not None:
        assert len(stored) <= len(new) / 2
        assert apply_difference(old, stored) == new


def test_encode_difference_when_it_would_not_be_much_smaller_then_there_is_none() -> None:
    assert encode_difference(A, B) is None
    assert encode_difference(b"", b"") is None
    assert encode_difference(A, b"") is None


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"\n",
        b"[]\n",
        b"{}\n",
        b"7\n",
        b"null\n",
        b"[6]",
        b"[7]\n",
        b"[6]\nmore",
        b"[6,0,0]\n",
        b"[6,0,0,1]\n",
        b'[6,"0",0,0]\n',
        b"[6,0,0,0,1]\n",
        b"[8,0,0,2]\nab?",
        b"not JSON\n",
        b"[6,0.0,0,0]\n",
    ],
)
def test_apply_difference_when_it_is_none_then_it_is_refused(stored: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        apply_difference(b"sixsix", stored)


def test_apply_difference_when_it_is_not_from_that_text_then_another_size_is_noticed() -> None:
    old = json.dumps(list(range(100))).encode()
    stored = encode_difference(old, old + b" ")
    assert stored is not None

    with pytest.raises(ValueError, match="does not fit"):
        apply_difference(old + b"  ", stored)
