"""The part of an engine that looks after its store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.errors import InvalidRequest
from ..domain.json_value import JsonValue
from .engine_base import EngineBase

if TYPE_CHECKING:
    from ..domain.ports import StoreStats
    from ..domain.verification import VerifyReport


class Caring(EngineBase):
    """The part of an engine that looks after its store."""

    def verify(self, *, repair: bool = False) -> VerifyReport:
        """Look the whole store through, in flat memory; return what is damaged.

        Everything is held against its digests, every link against its parent's, what is redundant
        against what it repeats, and every workflow in flight must have a way on. One unchanging
        view is read: the ``-wal`` of SQLite grows meanwhile, and a store of JSON files is locked.

        Args:
            repair: put right what can be, and move what cannot to a quarantine (``FILE-quarantine``
                beside a file, ``quarantine/`` in a folder), which is never emptied. All of it or
                nothing; other writers wait meanwhile. Each act is a ``repaired`` event. Damage
                below the rows is reported, and not touched.
        """
        at = self._kernel.env.clock.moment().wall
        return self._kernel.store.verify(repair=repair, at=at)

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Write a consistent copy, which opens as a store, to a new file that only its owner reads.

        Of a store of JSON files it is a new folder, and others wait meanwhile; of one in SQLite
        they go on, and what they write while it runs may be in it or not.

        Raises:
            TargetExists: there is something at *path* already.
            InvalidRequest: the store is not in a file.
            StorageUnavailable: it cannot be written; nothing is left there.
        """
        if not os.fspath(path):
            raise InvalidRequest("a backup needs the path of a new file")
        self._kernel.store.backup(Path(path))

    def in_force(self) -> Mapping[str, JsonValue]:
        """Return what is in force, by name: durability as read back, versions, paths.

        ``warnings`` is a list of sentences about what is worth a look.
        """
        from .. import __version__

        return {"holdfast": __version__, "store": self._kernel.store.target} | dict(
            self._kernel.store.in_force()
        )

    def stats(self) -> StoreStats:
        """Return how much the store holds, and how many bytes it takes."""
        return self._kernel.store.stats()
