"""A defect that is put into a copy of the source, on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class TextHasGone(Exception):
    """The source has no such text, or has it twice: the defect is to be written anew."""


@dataclass(frozen=True, slots=True)
class Defect:
    """A small, believable slip.

    Attributes:
        breaks: the promise that it breaks.
        file: relative to the root of the repository.
        old: stands in the file exactly once, and is replaced with ``new``.
        tests: the narrowest that ought to catch it: paths, and options of pytest.
    """

    name: str
    breaks: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied_to(self, text: str) -> str:
        """Return the text of the file with the defect in it.

        Raises:
            TextHasGone: ``old`` does not stand in it exactly once.
        """
        found = text.count(self.old)
        if found != 1:
            raise TextHasGone(f"{self.name}: {self.file} has its text {found} times, not once")
        changed = text.replace(self.old, self.new)
        compile(changed, self.file, "exec")
        return changed

    def seed(self, root: Path) -> None:
        """Put the defect into the file below *root*."""
        path = root / self.file
        path.write_text(self.applied_to(path.read_text(encoding="utf-8")), encoding="utf-8")
