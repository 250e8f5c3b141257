"""Opening a folder as a store: what it has to be, and what is refused and not touched."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import orjson

from ...domain.errors import NotAStore, SchemaTooNew, SchemaTooOld, StorageUnavailable
from . import layout
from .documents import SCHEMA, Document
from .file_operations import Files
from .journal import TEMPORARY
from .trouble import FileTrouble

KIND = "store"

# What the making of a store leaves behind that did not come to its end.
_BEGINNINGS = frozenset([layout.LOCK, layout.MARKER + TEMPORARY])


def require_folder(path: Path, *, create: bool) -> bool:
    """Return whether there is a store at *path*; make the folder for one if that is wanted.

    Raises:
        NotAStore: there is something else; it was not touched.
        SchemaTooNew: it was written by a newer version; it was not touched.
        StorageUnavailable: there is nothing and nothing is to be made, or it cannot be made.
    """
    if path.exists() and not path.is_dir():
        raise NotAStore(
            f"{path} is a file, and json: needs a folder; it was not touched. Name a folder, or "
            "leave json: out"
        )
    if not path.exists():
        if not create:
            raise StorageUnavailable(
                f"there is no store at {path}; make one with `holdfast --store json:{path} init`"
            )
        _make(path)
        return False
    if read_marker(path):
        return True
    others = sorted(set(_names(path)) - _BEGINNINGS)
    if others:
        raise NotAStore(
            f"{path} is a folder with other things in it ({others[0]}), not a Holdfast store; it "
            "was not touched. Name a new or an empty folder"
        )
    if not create:
        raise StorageUnavailable(
            f"{path} is empty; make a store of it with `holdfast --store json:{path} init`"
        )
    return False


def read_marker(path: Path) -> bool:
    """Return whether the folder is marked as a store that this version reads and writes.

    Raises:
        NotAStore, SchemaTooNew, SchemaTooOld: it is marked otherwise.
    """
    try:
        stored = (path / layout.MARKER).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise FileTrouble(error).translated(str(path)) from error
    try:
        found = orjson.loads(stored)
        schema = found["schema"]
        is_ours = found["format"] == "holdfast" and type(schema) is int and schema > 0
    except (ValueError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise NotAStore(
            f"{path / layout.MARKER} does not mark a Holdfast store, or is damaged; nothing was "
            f'touched. That of this version reads {{"format": "holdfast", "schema": {SCHEMA}}}'
        )
    if schema > SCHEMA:
        raise SchemaTooNew(str(path), schema, SCHEMA)
    if schema < SCHEMA:
        raise SchemaTooOld(str(path), schema, SCHEMA)
    return True


def mark(path: Path, files: Files) -> None:
    """Make a store of a folder; to be called under its lock. What made it whole is this."""
    content: Document = {"format": "holdfast", "schema": SCHEMA}
    marker = path / layout.MARKER
    temporary = marker.with_name(marker.name + TEMPORARY)
    text = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    files.write(temporary, text)
    files.rename(temporary, marker)
    files.sync_folder(path)
    files.sync_folder(path.parent)


def require_writable(path: Path) -> None:
    """Raise when nothing can be written in the folder: reading takes its lock, too."""
    if not os.access(path, os.W_OK | os.X_OK):
        error = OSError(errno.EACCES, "the folder is read-only", str(path))
        raise FileTrouble(error).translated(str(path))


def _make(path: Path) -> None:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return  # somebody else was quicker
    except OSError as error:
        raise StorageUnavailable(
            f"{path} cannot be made: {error.strerror}; choose a folder that exists and is writable"
        ) from error


def _names(path: Path) -> list[str]:
    try:
        return os.listdir(path)  # noqa: PTH208 - names are all that is wanted
    except OSError as error:
        raise FileTrouble(error).translated(str(path)) from error
