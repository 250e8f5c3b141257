"""Damages what a store keeps, behind its back; no engine may have the store open."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

# What each column of a row is called in a checkpoint's file.
_MEMBERS = {"body_digest": "payload_as_written"}


def flip(target: str, sequence: int) -> None:
    """Change one bit in the payload of a checkpoint.

    It stays JSON: only a digest can tell.
    """
    if target.startswith("json:"):
        path = _file(target, sequence)
        content = bytearray(path.read_bytes())
        begin = content.index(b'"payload": {')
        end = content.index(b"\n  }", begin)
        content[max(n for n in range(begin, end) if chr(content[n]).isalnum())] ^= 1
        json.loads(content)
        path.write_bytes(content)
        return
    body = bytearray(_sql(target, "SELECT body FROM checkpoints WHERE sequence = ?", sequence))
    body[max(n for n, byte in enumerate(body) if chr(byte).isalnum())] ^= 1
    json.loads(body.partition(b"\n")[2])
    _sql(target, "UPDATE checkpoints SET body = ? WHERE sequence = ?", body, sequence)


def cut_payload(target: str, sequence: int) -> None:
    """Leave the first bytes of what a checkpoint holds."""
    if target.startswith("json:"):
        path = _file(target, sequence)
        path.write_bytes(path.read_bytes()[:50])
        return
    edit = "UPDATE checkpoints SET body = substr(body, 1, 5) WHERE sequence = ?"
    _sql(target, edit, sequence)


def lose_payload(target: str, sequence: int) -> None:
    """Leave nothing of what a checkpoint holds."""
    if target.startswith("json:"):
        _edit_file(target, sequence, "payload", {})
        return
    _sql(target, "UPDATE checkpoints SET body = NULL WHERE sequence = ?", sequence)


def edit(target: str, sequence: int, column: str, value: Any, workflow: str = "w") -> None:
    """Change a column of a checkpoint's row, or the member of its file that is the same."""
    if target.startswith("json:"):
        _edit_file(target, sequence, _MEMBERS.get(column, column), value, workflow)
        return
    text = (
        "UPDATE checkpoints SET ? = ? WHERE sequence = ? "
        "AND workflow = (SELECT id FROM workflows WHERE workflow_id = ?)"
    )
    _sql(target, text.replace("?", column, 1), value, sequence, workflow)


def remove(target: str, sequence: int) -> None:
    """Take a checkpoint away."""
    if target.startswith("json:"):
        _file(target, sequence).unlink()
        return
    _sql(target, "DELETE FROM checkpoints WHERE sequence = ?", sequence)


def _sql(target: str, text: str, *values: object) -> Any:
    with closing(connect(target)) as connection, connection:
        found = connection.execute(text, values).fetchone()
        return found[0] if found else None


def _edit_file(target: str, sequence: int, member: str, value: Any, workflow: str = "*") -> None:
    path = _file(target, sequence, workflow)
    path.write_text(json.dumps({**json.loads(path.read_text()), member: value}))


def _file(target: str, sequence: int, workflow: str = "*") -> Path:
    folder = Path(target.removeprefix("json:"))
    (path,) = (
        each
        for each in folder.glob(f"workflows/*/{workflow}/@*xxx/**/@{sequence:012d}.*.json")
        if each.is_file()
    )
    return path
