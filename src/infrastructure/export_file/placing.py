"""Making a file or a folder beside its place, and putting it there when it is whole."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from ...domain.errors import StorageUnavailable, TargetExists

# Some file systems have no hard links, some only refuse them.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


@contextmanager
def file_in_place(path: Path) -> Iterator[BinaryIO]:
    """Give a new file that only its owner can read; at the end of the block it is at *path*.

    Whole and synced; nothing is there when the block raises, or the process dies in it, but for a
    leftover called ``.holdfast-….partial``.

    Raises:
        TargetExists: something is there.
    """
    with made_beside(path) as partial:
        made = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(made, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def made_beside(path: Path) -> Iterator[Path]:
    """Give a free path in the same folder; what is there at the end of the block goes to *path*.

    A file must be closed then. Nothing is left of it, nor of what is called like it with a suffix,
    when the block raises.
    """
    with _told_of(path):
        if os.path.lexists(path):
            raise TargetExists(path)
        partial = path.with_name(f".holdfast-{token_hex(6)}.partial")
        try:
            yield partial
            if not partial.is_dir():
                _sync(partial)
            _put(partial, path)
        finally:
            _clear(partial)


def _put(partial: Path, path: Path) -> None:
    """Move what was made to its place, unless something is there by now."""
    try:
        if partial.is_dir():
            _rename(partial, path)
        else:
            os.link(partial, path)
    except FileExistsError:
        raise TargetExists(path) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _rename(partial, path)
    _sync(path.parent)


def _rename(partial: Path, path: Path) -> None:
    if os.path.lexists(path):
        raise TargetExists(path)
    partial.rename(path)


def _clear(partial: Path) -> None:
    with suppress(OSError):
        for each in partial.parent.glob(f"{partial.name}*"):
            if each.is_dir():
                shutil.rmtree(each, ignore_errors=True)
            else:
                each.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    if os.name != "posix" and path.is_dir():
        return  # a folder cannot be synced there
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(
            f"{path} cannot be written: {error.strerror or error}; nothing is there"
        ) from error
