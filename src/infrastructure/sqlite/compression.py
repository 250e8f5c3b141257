"""Compressing what is large, where that pays."""

from __future__ import annotations

# What a Zstandard frame begins with; JSON and our own differences never do.
_MAGIC = b"\x28\xb5\x2f\xfd"
_LEVEL = 1
# What is saved must be worth the time of unpacking it.
_LARGEST_SHARE = 0.8


def compress(text: bytes, *, least: int) -> bytes:
    """Return *text* as a Zstandard frame; as it is below *least* bytes, or where that gains little.

    Some 250 MB/s here, so that it costs a small text more than the writing that it saves.
    """
    if len(text) < least:
        return text
    import zstandard

    frame = zstandard.ZstdCompressor(level=_LEVEL).compress(text)
    return frame if len(frame) <= len(text) * _LARGEST_SHARE else text


def decompress(stored: bytes) -> bytes:
    """Return the text that `compress` was given; raises `ValueError` for a frame that is none."""
    if stored[:4] != _MAGIC:
        return stored
    import zstandard

    try:
        return zstandard.ZstdDecompressor().decompress(stored)
    except zstandard.ZstdError as error:
        raise ValueError(f"not a Zstandard frame: {error}") from error
