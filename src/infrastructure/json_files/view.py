"""What one unit of work sees: the files, and over them what it has written itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...domain.errors import CheckpointCorrupted, StorageUnavailable
from . import layout
from .documents import COMPRESSED, Document, compress, decode, encode
from .file_operations import Files
from .index import Entry, Index


class View:
    """Files by their paths in the store, and what a unit of work has put over them.

    To be used under the store's lock, so that the files stay as they are.

    Args:
        below: the view that this one is laid over; by itself it is laid over the files.
        is_reading: whether only what can be made anew is written.

    Attributes:
        changes: the new bytes of each file that was written; ``None`` for one taken away.
        entries: what was added to the index.
    """

    def __init__(
        self,
        folder: Path,
        files: Files,
        index: Index,
        below: View | None = None,
        *,
        is_reading: bool = False,
    ) -> None:
        self.folder = folder
        self.index = index
        self.changes: dict[str, bytes | None] = {}
        self.entries: list[Entry] = []
        self._files = files
        self._below = below
        self._is_reading = is_reading
        self._names: dict[str, set[str]] = {}
        self._next_number = below.next_number if below else index.next_number

    # Documents.

    def read(self, path: str, kind: str, subject: object) -> Document | None:
        """Return the document at *path*, compressed or not; ``None`` when there is none.

        Raises:
            CheckpointCorrupted: it is not what was written; *subject* is what it is about.
        """
        stored = self._bytes(path)
        if stored is None:
            stored = self._bytes(path + COMPRESSED)
        return decode(stored, kind, subject) if stored is not None else None

    def read_derived(self, path: str, kind: str) -> Document | None:
        """Return a document that can be made anew; ``None`` when it is missing or damaged."""
        try:
            return self.read(path, kind, path)
        except CheckpointCorrupted:
            return None

    def write(self, path: str, kind: str, content: Document) -> int:
        """Put a document at *path*; return how many bytes its text has."""
        if self._is_reading:
            raise StorageUnavailable(f"{self.folder}: {path} was to be written while reading")
        return self.write_derived(path, kind, content)

    def write_derived(self, path: str, kind: str, content: Document) -> int:
        """Put a document that was made anew; also while reading."""
        text = encode(kind, content)
        packed = compress(text)
        other = path if packed is not None else path + COMPRESSED
        if self._has(other):
            self._change(other, None)
        self._change(path if packed is None else path + COMPRESSED, packed or text)
        return len(text)

    def remove(self, path: str) -> None:
        """Take the document at *path* away, if there is one."""
        for each in (path, path + COMPRESSED):
            if self._has(each):
                self._change(each, None)

    def exists(self, path: str) -> bool:
        """Whether there is a document at *path*."""
        return self._has(path) or self._has(path + COMPRESSED)

    def variants(self, path: str) -> list[str]:
        """Return the files, compressed and not, in which the document at *path* is."""
        return [each for each in (path, path + COMPRESSED) if self._has(each)]

    def content(self, file: str) -> bytes | None:
        """Return the bytes of a file as it stands; ``None`` when it is gone."""
        return self._bytes(file)

    def take_out(self, file: str) -> None:
        """Take one file away, whatever it holds."""
        self._change(file, None)

    def size(self, path: str) -> int:
        """Return how many bytes the file of a document has; 0 when there is none."""
        return len(self._bytes(path) or self._bytes(path + COMPRESSED) or b"")

    # Folders.

    def names(self, folder: str) -> set[str]:
        """Return the names of what is in a folder; none when there is no such folder."""
        if self._below is not None:
            found = self._below.names(folder)
        else:
            found = set(self._files.names(self.folder / folder))
        gone = {
            path.rpartition("/")[2]
            for path, content in self.changes.items()
            if content is None and path.rpartition("/")[0] == folder
        }
        return (found | self._names.get(folder, set())) - gone

    def files_below(self, folder: str) -> Iterator[str]:
        """Iterate over the paths of all files in a folder and in those inside it, sorted."""
        for name in sorted(self.names(folder)):
            path = f"{folder}/{name}"
            if self._is_folder(path):
                yield from self.files_below(path)
            elif self._has(path):
                yield path

    def chunks(self, folder: str, *, newest_first: bool = False) -> list[str]:
        """Return the names of the numbered folders in a folder, in the order of their numbers."""
        found = [each for each in self.names(folder) if layout.chunk_number(each) is not None]
        return sorted(found, key=lambda each: layout.chunk_number(each) or 0, reverse=newest_first)

    def checkpoint_files(
        self,
        workflow_id: str,
        *,
        newest_first: bool = False,
        above: int = 0,
        up_to: int | None = None,
    ) -> Iterator[layout.NamedFile]:
        """Iterate over the files of a workflow's checkpoints, in the order of sequences.

        Only of those with sequences above one, and up to another.
        """
        folder = layout.workflow(workflow_id)
        for chunk in self.chunks(folder, newest_first=newest_first):
            first = layout.chunk_number(chunk) or 0
            if first + layout.NUMBERS_A_FOLDER <= above or (up_to is not None and first > up_to):
                continue
            found = {
                each
                for each in self.chunk_files(workflow_id, chunk)
                if each.sequence > above and (up_to is None or each.sequence <= up_to)
            }
            yield from sorted(found, key=lambda each: each.sequence, reverse=newest_first)

    def chunk_files(self, workflow_id: str, chunk: str) -> Iterator[layout.NamedFile]:
        """Iterate over the files of a workflow's checkpoints in one chunk, in no order."""
        return self._inside(f"{layout.workflow(workflow_id)}/{chunk}", 2)

    def scope_files(self, folder: str) -> list[layout.NamedFile]:
        """Return the files of the checkpoints that are right in a folder, the newest first."""
        found = {layout.parse_checkpoint_name(folder, name) for name in self.names(folder)}
        return sorted((each for each in found if each), key=lambda each: -each.sequence)

    # Numbers.

    @property
    def next_number(self) -> int:
        """The number of the next change of the store."""
        return self._next_number

    def take_number(self) -> int:
        """Return the number of the next change of the store, which is thereby taken."""
        number = self._next_number
        self._next_number += 1
        return number

    def skip_to(self, number: int) -> None:
        """Let the next change have *number*."""
        if number < self._next_number:
            raise ValueError(f"number {number} is not above {self._next_number - 1}")
        self._next_number = number

    def note(self, entry: Entry) -> None:
        """Add to the index."""
        self.entries.append(entry)

    def newest_entries(self) -> Iterator[Entry]:
        """Iterate over the index from its end."""
        yield from reversed(self.entries)
        yield from self._below.newest_entries() if self._below else self.index.newest()

    def entries_after(self, number: int) -> Iterator[Entry]:
        """Iterate over what the index has above a number."""
        yield from self._below.entries_after(number) if self._below else self.index.after(number)
        yield from (each for each in self.entries if each.number > number)

    def absorb(self, above: View) -> None:
        """Take over what a view that was laid over this one has written."""
        for path, content in above.changes.items():
            self._change(path, content)
        self.entries += above.entries
        self._next_number = above.next_number

    def _inside(self, folder: str, depth: int) -> Iterator[layout.NamedFile]:
        for name in self.names(folder):
            found = layout.parse_checkpoint_name(folder, name)
            if found is not None:
                yield found
            elif depth and not name.startswith("@"):
                yield from self._inside(f"{folder}/{name}", depth - 1)

    def _is_folder(self, path: str) -> bool:
        return bool(self.names(path)) or (self.folder / path).is_dir()

    def _bytes(self, path: str) -> bytes | None:
        if path in self.changes:
            return self.changes[path]
        if self._below is not None:
            return self._below._bytes(path)  # noqa: SLF001 - of its own kind
        return self._files.read(self.folder / path)

    def _has(self, path: str) -> bool:
        if path in self.changes:
            return self.changes[path] is not None
        if self._below is not None:
            return self._below._has(path)  # noqa: SLF001 - of its own kind
        return self._files.exists(self.folder / path)

    def _change(self, path: str, content: bytes | None) -> None:
        self.changes[path] = content
        while content is not None:
            folder, _, name = path.rpartition("/")
            names = self._names.setdefault(folder, set())
            if not folder or name in names:
                return
            names.add(name)
            path = folder
