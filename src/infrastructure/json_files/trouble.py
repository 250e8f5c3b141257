"""What the system's errors mean to the users of a store."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ...domain.errors import HoldfastError, StorageUnavailable

# Trouble that may pass: a disk gets room, a mount comes back, another program lets go of a file.
_PASSING = frozenset(
    [
        errno.EIO,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EAGAIN,
        errno.EINTR,
        errno.EBUSY,
        errno.ESTALE,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ETIMEDOUT,
    ]
)
_NO_SPACE = frozenset([errno.ENOSPC, errno.EDQUOT])
_NO_ACCESS = frozenset([errno.EACCES, errno.EPERM, errno.EROFS])


class FileTrouble(Exception):
    """The system could not do something to a file; not an `OSError`, which may be the caller's."""

    def __init__(self, error: OSError) -> None:
        self.error = error
        super().__init__(str(error))

    @property
    def is_passing(self) -> bool:
        """Whether trying again may help."""
        return self.error.errno in _PASSING

    def translated(self, target: str) -> HoldfastError:
        """Return what it means to the users of the store *target*; raise it from this."""
        error = self.error
        if error.errno in _NO_SPACE:
            return StorageUnavailable(
                f"no space left for {target} ({error}); free some and try again"
            )
        if error.errno in _NO_ACCESS:
            return StorageUnavailable(
                f"{target} cannot be written or read ({error}); look at its permissions and those "
                "of its folder"
            )
        if error.errno == errno.ENOSYS:
            return StorageUnavailable(
                f"{target} is on a file system without locks ({error}), such as some network "
                "shares; it cannot hold a store"
            )
        if error.errno == errno.ELOOP:
            return StorageUnavailable(
                f"{target} has a symbolic link where a file of its own should be ({error}), which "
                "may lead anywhere; remove it"
            )
        return StorageUnavailable(f"{target}: {error}")


@contextmanager
def troubles() -> Iterator[None]:
    """Raise what goes wrong with a file as `FileTrouble`."""
    try:
        yield
    except OSError as error:
        raise FileTrouble(error) from error
