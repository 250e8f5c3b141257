"""The part of an engine that moves everything: export and import."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from ..domain.errors import InvalidRequest
from ..domain.ports import Store
from .engine_base import EngineBase

if TYPE_CHECKING:
    from .transferring import Progress, Transferred

Place: TypeAlias = "str | os.PathLike[str] | EngineBase"
"""A file, ``-``, a store that is named like one, or an engine on it."""


class Transferring(EngineBase):
    """The part of an engine that moves everything: export and import."""

    def export_to(self, target: Place, *, progress: Progress | None = None) -> Transferred:
        """Write everything that the store holds to *target*, which must not be there.

        Of one unchanging view; others may write meanwhile. What is made is for its owner's eyes
        only, and at its place when it is whole, or not at all. Equal stores give equal files.

        Args:
            target: a file, which is compressed when it ends in ``.gz`` or ``.zst``; ``-`` for
                standard output; a store (``sqlite:///PATH``, ``json:FOLDER``, or a path that ends
                in ``.db``, ``.sqlite`` or ``.sqlite3``); or an engine on an empty store.
            progress: called with how many documents are written, and how many there are about.

        Raises:
            TargetExists: something is there; it is not touched.
            Damaged: something in this store is; nothing is written.
            StorageUnavailable: the target cannot be written.
        """
        from .transferring import export_to_file, export_to_new_store, import_from_store

        if isinstance(target, EngineBase):
            return import_from_store(_bare(target), self._other(target, _bare(self)), progress)
        name = _name_of(target)
        if _names_store(name):
            return export_to_new_store(_bare(self), name, progress)
        return export_to_file(_bare(self), name, progress)

    def import_from(self, source: Place, *, progress: Progress | None = None) -> Transferred:
        """Write everything that *source* holds to this store, which must hold nothing yet.

        Ids, sequences, numbers of events, epochs, attempts and times are as they were there. It is
        one transaction: all or nothing, and whoever writes to this store waits for its end.

        Args:
            source: what `export_to` has written: a file, compressed or not, ``-`` for standard
                input, a store, or an engine on one.
            progress: called with how many documents are written, and how many there are about (0
                where that is not known).

        Raises:
            StoreNotEmpty: this store holds something.
            ExportDamaged: the file was cut short or edited; names the line and the reason.
            SchemaTooNew: a newer version of Holdfast wrote it.
        """
        from .bootstrap import open_source
        from .transferring import import_from_file, import_from_store

        if isinstance(source, EngineBase):
            return import_from_store(_bare(self), self._other(source, _bare(source)), progress)
        name = _name_of(source)
        if not _names_store(name):
            return import_from_file(_bare(self), name, progress)
        with open_source(name) as other:
            return import_from_store(_bare(self), other, progress)

    def _other(self, engine: EngineBase, store: Store) -> Store:
        if _bare(engine) is _bare(self):
            raise InvalidRequest("that is the same store; name another one")
        return store


def _bare(engine: EngineBase) -> Store:
    """Return the engine's store without a journal: what is moved has been told of before."""
    from ..application.announcing_store import AnnouncingStore

    store = engine._kernel.store  # noqa: SLF001 - the parts of engines know each other
    return store.unannounced if isinstance(store, AnnouncingStore) else store


def _name_of(place: str | os.PathLike[str]) -> str:
    try:
        name = os.fspath(place)
    except TypeError:
        name = ""
    if not name or "\0" in name:
        raise InvalidRequest(f"{place!r} is no place; give a path, a store, - or an engine")
    return name


def _names_store(name: str) -> bool:
    from .bootstrap import names_store

    return names_store(name)
