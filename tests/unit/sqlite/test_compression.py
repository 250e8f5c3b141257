"""Compressing what is large, where that pays."""

from __future__ import annotations

from random import Random

import pytest
from holdfast.infrastructure.sqlite.compression import compress, decompress
from hypothesis import given
from hypothesis import strategies as st

PLAIN = b'{"text":"' + b"word " * 200 + b'"}'
FRAME_BEGINS = b"\x28\xb5\x2f\xfd"


@given(st.binary(max_size=200).map(lambda text: b"[" + text), st.integers(0, 400))
def test_decompress_when_compressed_then_the_text_comes_back(text: bytes, least: int) -> None:
    assert decompress(compress(text * 3, least=least)) == text * 3


def test_compress_when_it_is_large_enough_then_it_is_a_frame() -> None:
    stored = compress(PLAIN, least=len(PLAIN))

    assert stored[:4] == FRAME_BEGINS
    assert len(stored) < len(PLAIN) / 5


def test_compress_when_it_is_smaller_than_that_then_it_is_left_as_it_is() -> None:
    assert compress(PLAIN, least=len(PLAIN) + 1) == PLAIN


def test_compress_when_little_is_gained_then_it_is_left_as_it_is() -> None:
    text = b"{" + Random(1).randbytes(600)

    assert compress(text, least=1) == text


@pytest.mark.parametrize("cut", [4, 5, 8, 12, -1])
def test_decompress_when_a_frame_was_cut_short_then_it_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="Zstandard"):
        decompress(compress(PLAIN, least=1)[:cut])


def test_decompress_when_it_is_not_compressed_then_it_is_what_was_stored() -> None:
    assert decompress(b"") == b""
    assert decompress(PLAIN) == PLAIN
