"""Keyframes: what chains add up to, so that a rebuild need not read them from their root.

A keyframe is redundant as long as the checkpoints before it are there. It is stored as a difference
from the one before it in its chain where that is smaller, so that a large context that changes
little has many.
"""

from __future__ import annotations

from typing import NamedTuple

from ...domain.errors import CheckpointCorrupted
from ...domain.scope import Scope
from . import statements as sql
from .compression import compress, decompress
from .differences import apply_difference, encode_difference
from .keyframe_text import decode_keyframe, encode_keyframe
from .rebuild import Rebuild
from .rows import CheckpointRow, digest, intact_row, seal_of
from .transaction import Transaction, WorkflowRow

# Reading a row costs as much as reading so many bytes of a keyframe, about.
_ROW_COST = 400
_LEAST_ROWS = 32
_MOST_ROWS = 32
# Of a large context, so many bytes a row since the last keyframe: reading either takes as long.
_BYTES_A_ROW = 16_384
# So many differences from each other, then one that stands for itself: a small one sooner, since
# each step costs a look-up.
_MOST_STEPS = 32
_BYTES_A_STEP = 2048
_WORTH_COMPRESSING = 4096


class KeyframeRow(NamedTuple):
    """A row of ``keyframes`` without its body, column by column."""

    number: int
    base: int | None
    depth: int
    size: int
    body_digest: bytes
    seal: bytes


class EncodedKeyframe(NamedTuple):
    """A keyframe as it is to be stored."""

    base: int | None
    depth: int
    size: int
    body: bytes


class Keyframes:
    """Reads and writes the keyframes of one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    def is_due(self, row: CheckpointRow) -> bool:
        """Whether a row should have a keyframe of its own.

        It should when reading what was added since the last one costs as much as reading that.
        """
        if row.since_rows == 0 or row.since_rows % _LEAST_ROWS:
            return False
        size = self._size(row.keyframe)
        cost = row.since_bytes + row.since_rows * _ROW_COST
        return cost >= size or row.since_rows >= max(_MOST_ROWS, size // _BYTES_A_ROW)

    def add(self, row: CheckpointRow, rebuild: Rebuild, before: int | None) -> int:
        """Keep what the chain adds up to at a row; return how many bytes that has as text.

        Args:
            before: the number of the last keyframe in its chain.
        """
        keyframe = self.encoded(rebuild, before)
        self._write(sql.INSERT_KEYFRAME, row.number, keyframe)
        return keyframe.size

    def encoded(self, rebuild: Rebuild, before: int | None) -> EncodedKeyframe:
        """Return what a chain adds up to as it is to be stored; as a difference where it pays."""
        text = encode_keyframe(rebuild)
        base, depth, body = self._as_difference(text, before)
        return EncodedKeyframe(base, depth, len(text), body)

    def put(self, number: int, keyframe: EncodedKeyframe) -> None:
        """Keep a keyframe under a number, in place of the one that may be there."""
        self._write(sql.PUT_KEYFRAME, number, keyframe)

    def has(self, number: int) -> bool:
        """Whether there is a keyframe under a number."""
        return self._tx.connection.execute(sql.SELECT_KEYFRAME, (number,)).fetchone() is not None

    def stand_alone(self, number: int) -> None:
        """Store a keyframe as a whole, so that it needs none before it."""
        text = self._text(number, f"keyframe {number}")
        body = compress(text, least=_WORTH_COMPRESSING)
        self.put(number, EncodedKeyframe(None, 0, len(text), body))

    def _write(self, statement: str, number: int, keyframe: EncodedKeyframe) -> None:
        base, depth, size, body = keyframe
        values = (number, base, depth, size, digest(body))
        self._tx.connection.execute(statement, (*values, seal_of(values), body))
        self._tx.memory.note_keyframe(number, size)

    def load(self, number: int, workflow: WorkflowRow) -> Rebuild:
        """Return what a keyframe holds; raises `CheckpointCorrupted`."""
        subject = f"keyframe {number} of {Scope(workflow.workflow_id)}"
        try:
            text = self._text(number, subject)
            return decode_keyframe(text, workflow.workflow_id, self._tx.store.codec)
        except (ValueError, TypeError) as error:
            raise CheckpointCorrupted(
                subject, f"it is not what can have been written ({error})"
            ) from error

    def before(self, number: int, workflow: WorkflowRow) -> int | None:
        """Return the number of the keyframe before one, as far as can be told."""
        subject = f"the checkpoint before keyframe {number} of {Scope(workflow.workflow_id)}"
        try:
            found = self._tx.one(sql.SELECT_PARENT_OF_NUMBER, (number,), subject)
            row = intact_row(found, workflow.workflow_id) if found is not None else None
        except CheckpointCorrupted:
            return None  # where it points may be anybody's keyframe
        return row.keyframe if row is not None else None

    def _as_difference(self, text: bytes, before: int | None) -> tuple[int | None, int, bytes]:
        """Return base, depth and body."""
        if before is not None:
            try:
                depth = self._row(before, "the keyframe before").depth + 1
                if depth <= min(_MOST_STEPS, len(text) // _BYTES_A_STEP):
                    old = self._text(before, "the keyframe before")
                    difference = encode_difference(old, text)
                    if difference is not None:
                        return before, depth, compress(difference, least=_WORTH_COMPRESSING)
            except CheckpointCorrupted:
                pass  # then this one stands for itself
        return None, 0, compress(text, least=_WORTH_COMPRESSING)

    def _text(self, number: int, subject: str) -> bytes:
        differences = []
        row = self._row(number, subject)
        while row.base is not None and row.base < row.number:
            differences.append(self._body(row, subject))
            row = self._row(row.base, subject)
        text: bytes | bytearray = self._body(row, subject)
        for each in reversed(differences):
            text = apply_difference(text, each)
        return bytes(text)

    def _row(self, number: int, subject: str) -> KeyframeRow:
        found = self._tx.one(sql.SELECT_KEYFRAME, (number,), subject)
        if found is None:
            raise CheckpointCorrupted(subject, f"what is kept under number {number} is missing")
        if seal_of(found[:-1]) != found[-1]:
            raise CheckpointCorrupted(subject, f"the seal of number {number} does not match")
        return KeyframeRow._make(found)

    def _body(self, row: KeyframeRow, subject: str) -> bytes:
        (body,) = self._tx.one(sql.SELECT_KEYFRAME_BODY, (row.number,), subject)
        if digest(body) != row.body_digest:
            raise CheckpointCorrupted(subject, f"the digest of number {row.number} does not match")
        return decompress(body)

    def _size(self, number: int | None) -> int:
        if number is None:
            return 0
        sizes = self._tx.memory.keyframe_sizes
        if number not in sizes:
            try:
                sizes[number] = self._row(number, f"keyframe {number}").size
            except CheckpointCorrupted:
                sizes[number] = 0  # a new one is wanted the sooner
        return sizes[number]
