"""What a part of an id may be, and how it is written in texts and in file names."""

from __future__ import annotations

import hashlib
import unicodedata

from .errors import InvalidId

MAX_PART_BYTES = 200
MAX_FILE_NAME = 120

_ESCAPES = {"%": "%25", "/": "%2F", "@": "%40"}
_UNESCAPES = {escape: char for char, escape in _ESCAPES.items()}
_PLAIN_ASCII = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")
# Windows opens a device for these names, whatever follows the first dot.
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{device}{digit}" for device in ("com", "lpt") for digit in "0123456789¹²³"]
)


def check_part(what: str, part: object) -> str:
    """Return *part* when it can be a part of an id, else raise `InvalidId` naming *what*.

    A part is a non-empty string of at most 200 bytes in UTF-8, without control characters and
    lone surrogates. Everything else is legal: people name things ``"a/b"``, ``".."``, ``"CON"``.
    """
    if type(part) is not str:
        raise InvalidId(what, part, f"it must be a string, not {type(part).__name__}")
    # Four bytes a character at the most, so that this accepts nearly every name at once.
    if 0 < len(part) <= MAX_PART_BYTES // 4 and part.isprintable():
        return part
    if not part:
        raise InvalidId(what, part, "it must not be empty")
    try:
        size = len(part.encode())
    except UnicodeEncodeError:
        raise InvalidId(what, part, "it must not contain lone surrogates") from None
    if size > MAX_PART_BYTES:
        raise InvalidId(what, part, f"it has {size} bytes in UTF-8, at most 200 are allowed")
    if any(unicodedata.category(char) == "Cc" for char in part):
        raise InvalidId(what, part, "it must not contain control characters")
    return part


def escape_part(part: str) -> str:
    """Return *part* as it stands in the text form of an id: ``/ @ %`` percent-encoded."""
    if "%" in part or "/" in part or "@" in part:
        return part.replace("%", "%25").replace("/", "%2F").replace("@", "%40")
    return part


def unescape_part(what: str, text: str) -> str:
    """Return the part that `escape_part` wrote as *text*.

    Other percent-encodings than those of ``/ @ %``, and lower-case ones, are refused: two texts
    never stand for one id.
    """
    if "@" in text or "/" in text:
        raise InvalidId(what, text, "inside a part @ is written %40 and / is written %2F")
    if "%" in text:
        pieces = text.split("%")
        out = [pieces[0]]
        for piece in pieces[1:]:
            char = _UNESCAPES.get(f"%{piece[:2]}")
            if char is None:
                raise InvalidId(what, text, "after % only 25, 2F or 40 may follow")
            out += (char, piece[2:])
        text = "".join(out)
    return check_part(what, text)


def file_name(part: str) -> str:
    """Return a file name for *part*: safe on Linux, macOS and Windows, another for another part.

    A name of lower-case ASCII letters, digits, ``.``, ``_`` and ``-`` stands for itself. Any other
    keeps what is readable of it and ends in ``~`` and a digest of the part, which a plain name
    never does, so that file systems that fold case or normalise Unicode keep them apart. ASCII, at
    most 120 characters: file systems differ in the Unicode that they know.

    >>> file_name("analyse-2"), file_name("Analyse")
    ('analyse-2', 'analyse~0ce7c57d7c8f53ae635a92deddf5a551')
    """
    if _is_plain(part):
        return part
    digest = hashlib.blake2b(part.encode(), digest_size=16).hexdigest()
    readable = "".join(char if char in _PLAIN_ASCII else "_" for char in part.lower())
    if readable.startswith(".") or readable.split(".", 1)[0] in _DEVICES:
        readable = f"_{readable}"
    room = MAX_FILE_NAME - len(digest) - 1
    return f"{readable[:room]}~{digest}"


def _is_plain(part: str) -> bool:
    return (
        len(part) <= MAX_FILE_NAME
        and _PLAIN_ASCII.issuperset(part)
        and not part.startswith(".")
        and not part.endswith(".")
        and part.split(".", 1)[0] not in _DEVICES
    )
