"""Exports as files: written beside and put in place, read from their beginning."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ...domain.errors import ExportDamaged, StorageUnavailable
from .compressed import BrokenCompression, compressing, decompressing
from .lines import Line, LineReader, LineWriter
from .placing import file_in_place

STANDARD = "-"


@contextmanager
def writing(target: str) -> Iterator[LineWriter]:
    """Give what writes an export to a path, or, for ``-``, to standard output."""
    if target == STANDARD:
        yield LineWriter(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    path = Path(target).absolute()
    with file_in_place(path) as raw, compressing(raw, path.name) as stream:
        yield LineWriter(stream)


@contextmanager
def reading(source: str) -> Iterator[Callable[[], Iterator[Line]]]:
    """Give what iterates over the documents of an export, from its beginning at each call.

    From a path, or, for ``-``, from standard input, which is kept in a file without a name.
    """
    if source == STANDARD:
        with tempfile.TemporaryFile() as kept:
            shutil.copyfileobj(sys.stdin.buffer, kept)
            yield lambda: _documents(kept, "standard input")
        return
    try:
        file = Path(source).open("rb")  # noqa: SIM115 - closed below, opened apart for its error
    except OSError as error:
        raise StorageUnavailable(f"{source} cannot be read: {error.strerror}") from error
    with file:
        yield lambda: _documents(file, source)


def _documents(raw: BinaryIO, source: str) -> Iterator[Line]:
    reader: LineReader | None = None
    try:
        with decompressing(raw) as stream:
            reader = LineReader(stream, source)
            yield from reader.documents()
    except BrokenCompression as error:
        line = reader.line + 1 if reader else 0
        raise ExportDamaged(source, line, f"it cannot be decompressed on ({error})") from error
