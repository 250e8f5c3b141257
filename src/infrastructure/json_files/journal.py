"""Transactions as one act.

What a transaction changes is first written to one file, synced, renamed and synced again: that
rename is the commit. Only then is it carried out, file by file, and the journal's file removed.
Whoever comes first after a crash carries it out again: that does no harm, since every effect says
what is there afterwards, and not what is to be done to what was there.

There is one file at the most, of one name: who commits has carried out what was there before. So a
removal that a power cut took back never brings an old transaction over a newer one.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, TypeAlias

import orjson

from ...domain.errors import CheckpointCorrupted, StorageUnavailable
from . import layout
from .file_operations import Files
from .trouble import FileTrouble

TEMPORARY = ".tmp"


@dataclass(frozen=True, slots=True)
class Put:
    """The file at *path* is *content*."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Remove:
    """There is no file at *path*."""

    path: str


@dataclass(frozen=True, slots=True)
class Append:
    """The file at *path* ends with *content* from the offset *at* on, if it has got so far."""

    path: str
    at: int
    content: bytes


Effect: TypeAlias = Put | Remove | Append


class TransactionDamaged(CheckpointCorrupted):
    """The journal holds a transaction that cannot be read, and may be half carried out."""


class Journal:
    """The journal of one store; to be used under its lock.

    Attributes:
        has_landed: whether the last commit is durable, whatever became of it afterwards.
    """

    def __init__(self, folder: Path, files: Files) -> None:
        self._folder = folder
        self._files = files
        self._entry = folder / layout.JOURNAL
        self.has_landed = False

    def commit(self, effects: Iterable[Effect]) -> None:
        """Make the effects durable as one act; `carry_out` is to follow.

        Raises:
            FileTrouble: there was trouble; none of them will be there.
            StorageUnavailable: it cannot be told whether they will; or they would land outside of
                the store, and none of them will.
        """
        self.has_landed = False
        effects = list(effects)
        self._require_no_links([*(each.path for each in effects), layout.JOURNAL])
        files, entry = self._files, self._entry
        temporary = entry.with_name(entry.name + TEMPORARY)
        for changed in files.make_folders(entry.parent):
            files.sync_folder(changed)
        files.write(temporary, _pack(effects))
        try:
            files.rename(temporary, entry)
            files.sync_folder(entry.parent)
            self.has_landed = True  # within: whatever comes before it takes the commit back
        except BaseException as trouble:
            if not self.has_landed:
                self._take_back(trouble)
            raise

    def carry_out(self) -> bool:
        """Do what the journal says, if it says anything; return whether it did.

        Raises:
            TransactionDamaged: its file is damaged; nothing was done.
            StorageUnavailable: it would land outside of the store; nothing was done.
        """
        stored = self._files.read(self._entry)
        if stored is None:
            return False
        changed: set[Path] = set()
        effects = _unpack(stored, self._entry)
        self._require_no_links(each.path for each in effects)
        for effect in effects:
            changed |= self._perform(effect)
        for folder in sorted(changed):
            self._files.sync_folder(folder)
        for effect in effects:
            if isinstance(effect, Remove):
                self._remove_empty_folders(self._folder / effect.path)
        self._files.remove(self._entry)
        return True

    def forget_for_good(self) -> None:
        """Make it durable that nothing is to be carried out."""
        if self._entry.parent.is_dir():
            self._files.sync_folder(self._entry.parent)

    def _require_no_links(self, paths: Iterable[str]) -> None:
        """Raise when a folder on the way to one of these is a link: it may lead out of the store.

        A store that was copied or cloned brings the links that somebody else made.
        """
        folders = {folder for path in paths for folder in PurePosixPath(path).parents[:-1]}
        for folder in sorted(folders):
            if (self._folder / folder).is_symlink():
                raise StorageUnavailable(
                    f"{self._folder / folder} is a symbolic link, and what is written there would "
                    "be outside of the store; nothing was written. Remove it"
                )

    def _perform(self, effect: Effect) -> set[Path]:
        """Let one effect be; return the folders that are to be synced."""
        files = self._files
        path = self._folder / effect.path
        if isinstance(effect, Append):
            files.append(path, effect.at, effect.content)
            return set()
        if isinstance(effect, Remove):
            files.remove(path)
            return {path.parent} if path.parent.is_dir() else set()
        changed = files.make_folders(path.parent)
        temporary = path.with_name(path.name + TEMPORARY)
        files.write(temporary, effect.content)
        files.rename(temporary, path)
        return changed | {path.parent}

    def _remove_empty_folders(self, gone: Path) -> None:
        """Remove the folders around a file that is gone, as far as nothing else is in them."""
        folder = gone.parent
        while folder != self._folder and self._files.remove_folder(folder):
            folder = folder.parent

    def _take_back(self, trouble: BaseException) -> None:
        """Undo a commit that was not synced: nobody was told of it."""
        try:
            self._files.remove(self._entry)
            self._files.sync_folder(self._entry.parent)
        except FileTrouble as more:
            # Should it be there all the same, the next to come would carry it out.
            with suppress(FileTrouble):
                self._files.remove(self._entry)
            raise StorageUnavailable(
                f"{self._folder}: a commit could not be synced ({trouble}), and taking it back "
                f"failed as well ({more}); read it again before you repeat it",
                outcome="unknown",
            ) from trouble


def _pack(effects: Iterable[Effect]) -> bytes:
    text = orjson.dumps([_to_json(each) for each in effects])
    return sha256(text).hexdigest().encode() + b"\n" + text


def _unpack(stored: bytes, path: Path) -> list[Effect]:
    digest, _, text = stored.partition(b"\n")
    if sha256(text).hexdigest().encode() != digest:
        raise TransactionDamaged(
            f"the transaction in {path}",
            "its digest does not match, and nothing can be read or written as long as it may be "
            "half carried out; `holdfast doctor --repair` goes on without it",
        )
    try:
        effects = [_from_json(each) for each in _listed(orjson.loads(text))]
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise TransactionDamaged(
            f"the transaction in {path}",
            f"it cannot have been written so ({error}); `holdfast doctor --repair` goes on without "
            "it",
        ) from error
    for each in effects:
        # A folder that somebody else made may hold anything, and this is carried out unasked.
        if _leads_out(each.path):
            raise TransactionDamaged(f"the transaction in {path}", "it leads out of the store")
    return effects


def _leads_out(path: str) -> bool:
    """Whether a path is not below the folder that it is in, here or as Windows reads it."""
    return any(
        inside.anchor or ".." in inside.parts
        for inside in (PurePosixPath(path), PureWindowsPath(path))
    )


def _listed(found: Any) -> list[Any]:
    if type(found) is not list:
        raise TypeError(f"{type(found).__name__} is no list of acts")
    return found


def _to_json(effect: Effect) -> list[Any]:
    if isinstance(effect, Remove):
        return ["remove", effect.path]
    if isinstance(effect, Append):
        return ["append", effect.path, effect.content.decode(), effect.at]
    try:
        return ["put", effect.path, effect.content.decode()]
    except UnicodeDecodeError:  # compressed
        return ["put compressed", effect.path, base64.b64encode(effect.content).decode()]


def _from_json(found: list[Any]) -> Effect:
    act, path, *more = found
    if type(path) is not str:
        raise TypeError(f"{path!r} is no path")
    if "\0" in path or not PurePosixPath(path).parts:
        raise ValueError(f"{path!r} is no path")
    if act == "remove":
        return Remove(path)
    if act == "append":
        if type(more[1]) is not int or more[1] < 0:
            raise ValueError(f"{more[1]!r} is no offset")
        return Append(path, more[1], more[0].encode())
    if act not in ("put", "put compressed"):
        raise ValueError(f"there is no act {act!r}")
    content = base64.b64decode(more[0]) if act == "put compressed" else more[0].encode()
    return Put(path, content)
