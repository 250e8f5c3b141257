"""A folder of the benchmark's own, on the disk that is to be measured."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...domain.errors import StorageUnavailable


@contextmanager
def room(folder: Path) -> Iterator[Path]:
    """Give an empty folder inside *folder*; it is gone afterwards, however that comes.

    Raises:
        StorageUnavailable: it cannot be made there.
    """
    try:
        made = tempfile.TemporaryDirectory(
            prefix="holdfast-bench-", dir=folder, ignore_cleanup_errors=True
        )
    except OSError as error:
        raise StorageUnavailable(
            f"{folder}: no store can be made there to measure with ({error.strerror}); name "
            "another folder"
        ) from error
    with made as path:
        yield Path(path)
