"""Who runs this program, and whether another process is gone."""

from __future__ import annotations

from typing import Protocol

from ..lease import Owner


class Host(Protocol):
    """Knows the processes of this host."""

    def owner(self) -> Owner:
        """Return who this process is; another value after a fork."""

    def is_gone(self, owner: Owner) -> bool:
        """Whether *owner* is provably gone.

        Same host, and started again since; or same boot and process-id namespace, and the process
        is missing, a zombie, or was started at another time. What cannot be read means alive.
        """
