"""Compressing an export by its file's suffix, and reading it by what it begins with."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import BinaryIO, cast

from ...domain.errors import StorageUnavailable

_GZIP, _ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# Fixed, so that equal stores give equal files.
_GZIP_LEVEL, _ZSTANDARD_LEVEL = 6, 3


class BrokenCompression(Exception):
    """What was compressed cannot be read on."""


@contextmanager
def compressing(raw: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Give a stream whose content goes to *raw*, compressed as the suffix of *name* says."""
    suffix = PurePath(name).suffix.lower()
    if suffix == ".gz":
        with gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as packed:
            yield cast("BinaryIO", packed)
    elif suffix in (".zst", ".zstd"):
        import zstandard

        made = zstandard.ZstdCompressor(level=_ZSTANDARD_LEVEL, write_checksum=True)
        with made.stream_writer(raw, closefd=False) as packed_lines:
            yield cast("BinaryIO", packed_lines)
    else:
        yield raw


@contextmanager
def decompressing(raw: BinaryIO) -> Iterator[BinaryIO]:
    """Give a stream of what a file that can be sought in holds, decompressed.

    Raises:
        BrokenCompression: within the block, it cannot be read on.
    """
    raw.seek(0)
    begin = raw.read(4)
    raw.seek(0)
    if begin[:2] == _GZIP:
        with _breaking(EOFError, zlib.error, gzip.BadGzipFile):
            yield cast("BinaryIO", gzip.GzipFile(fileobj=raw))
    elif begin == _ZSTANDARD:
        import zstandard

        unpacked = zstandard.ZstdDecompressor().stream_reader(
            raw, read_across_frames=True, closefd=False
        )
        with _breaking(zstandard.ZstdError):
            yield io.BufferedReader(cast("io.RawIOBase", unpacked), 1 << 16)
    else:
        with _breaking():
            yield raw


@contextmanager
def _breaking(*kinds: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        raise BrokenCompression(str(error)) from error
    except OSError as error:
        raise StorageUnavailable(f"it cannot be read: {error.strerror or error}") from error
