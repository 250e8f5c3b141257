"""Whatever the bytes of a store are, nothing but errors of our tree comes out of the engine.

What is damaged is told, and what it is told as, the tests of damage say. Here it is only that no
decoder, parser or index trips over it, whatever is called: each example changes one file, and makes
every call.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from holdfast.infrastructure.json_files import documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .everything_asked import fill, use

# Some hundred syncs an example: in memory where the system has room there.
ROOM = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

FEW = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FEWER = settings(FEW, max_examples=10)  # each call of JSON files takes some syncs
MANY = settings(FEW, max_examples=1000)

PLACES = st.floats(0, 1, exclude_max=True)
WRONG = st.sampled_from(
    [None, True, 0, -1, 2**40, 2**70, 1.5, "", "x", "a\nb", "²", "flight@3", "9999-99-99", [], {}]
    + [["x"], {"x": 1}, "2026-01-01T00:00:00"]
)


@st.composite
def changes(draw: st.DrawFn) -> Any:
    """Draw what changes the bytes of a file."""
    at, other = draw(PLACES), draw(PLACES)
    noise = draw(st.binary(min_size=1, max_size=80))
    how = draw(st.sampled_from(["flip", "replace", "insert", "cut", "zeros", "noise", "copy"]))

    def change(content: bytes) -> bytes:
        begin, end = sorted((int(at * len(content)), int(other * len(content))))
        return {
            "flip": content[:begin] + bytes([noise[0] ^ 255]) + content[begin + 1 :],
            "replace": content[:begin] + noise + content[begin + len(noise) :],
            "insert": content[:begin] + noise + content[begin:],
            "cut": content[:begin],
            "zeros": content[:begin] + bytes(min(512, end - begin)) + content[begin + 512 :],
            "noise": noise,
            "copy": content[:begin] + content[end : end + 64] + content[begin + 64 :],
        }[how]

    return change


@pytest.fixture(scope="module")
def filled() -> Iterator[Path]:
    """Return a folder with a filled store of either kind."""
    with TemporaryDirectory(dir=ROOM) as folder:
        fill(str(Path(folder) / "store.db"))
        fill(f"json:{folder}/files")
        yield Path(folder)


def _in_the_file(filled: Path, change: Any, at: float, share: float) -> None:
    with TemporaryDirectory(dir=ROOM) as room:
        path = Path(room) / "store.db"
        content = (filled / "store.db").read_bytes()
        # Half of them in the first pages, where SQLite keeps the schema.
        begin = int(at * (len(content) if share > 0.5 else 8192)) // 4096 * 4096
        path.write_bytes(
            content[:begin] + change(content[begin : begin + 4096]) + content[begin + 4096 :]
        )
        use(str(path), Path(room))


def _in_the_files(filled: Path, change: Any, which: float) -> None:
    with TemporaryDirectory(dir=ROOM) as room:
        folder = Path(room) / "files"
        shutil.copytree(filled / "files", folder)
        victim = _victim(folder, which)
        victim.write_bytes(change(victim.read_bytes()))
        use(f"json:{folder}", Path(room))


def _victim(folder: Path, which: float) -> Path:
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return files[int(which * len(files))]


def _in_a_document(filled: Path, which: float, place: float, wrong: Any) -> None:
    """Put something wrong into a document, and its digest right."""
    with TemporaryDirectory(dir=ROOM) as room:
        folder = Path(room) / "files"
        shutil.copytree(filled / "files", folder)
        documents_there = sorted(each for each in folder.rglob("*.json"))
        victim = documents_there[int(which * len(documents_there))]
        found = json.loads(victim.read_bytes())
        found.pop("digest", None)
        holders = list(_holders(found))
        holder, key = holders[int(place * len(holders))]
        holder[key] = wrong
        found["digest"] = documents.digest(found)
        victim.write_text(json.dumps(found))
        use(f"json:{folder}", Path(room))


def _holders(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value if isinstance(value, dict) else range(len(value)) if type(value) is list else ()
    for key in keys:
        yield value, key
        yield from _holders(value[key])


@FEW
@given(changes(), PLACES, PLACES)
def test_every_call_when_bytes_of_the_database_are_changed_then_only_our_errors(
    filled: Path, change: Any, at: float, share: float
) -> None:
    _in_the_file(filled, change, at, share)


@FEWER
@given(changes(), PLACES)
def test_every_call_when_bytes_of_a_file_are_changed_then_only_our_errors(
    filled: Path, change: Any, which: float
) -> None:
    _in_the_files(filled, change, which)


@FEWER
@given(PLACES, PLACES, WRONG)
def test_every_call_when_a_document_is_edited_digest_and_all_then_only_our_errors(
    filled: Path, which: float, place: float, wrong: Any
) -> None:
    _in_a_document(filled, which, place, wrong)


@pytest.mark.deep
@MANY
@given(changes(), PLACES, PLACES)
def test_every_call_when_the_database_is_changed_in_many_ways_then_only_our_errors(
    filled: Path, change: Any, at: float, share: float
) -> None:
    _in_the_file(filled, change, at, share)


@pytest.mark.deep
@settings(MANY, max_examples=200)
@given(changes(), PLACES, PLACES, WRONG)
def test_every_call_when_files_are_changed_in_many_ways_then_only_our_errors(
    filled: Path, change: Any, which: float, place: float, wrong: Any
) -> None:
    _in_the_files(filled, change, which)
    _in_a_document(filled, which, place, wrong)


def test_open_when_what_sqlite_says_of_a_damaged_schema_is_no_text_then_it_is_damage(
    filled: Path, tmp_path: Path
) -> None:
    """Python decodes what SQLite quotes of the schema, and raises `UnicodeDecodeError` itself."""
    content = (filled / "store.db").read_bytes()
    name = b"tablecheckpoints"
    assert name in content
    damaged = content.replace(name, b"table\xff\xfeeckpoints")
    for upgrade_first in (True, False):
        path = tmp_path / f"{upgrade_first}.db"
        path.write_bytes(damaged)
        assert use(str(path), tmp_path) == 1


@pytest.mark.parametrize("name", ["@².progress.json", "@-1.progress.json"])
def test_every_call_when_there_are_stray_files_then_only_our_errors(
    filled: Path, tmp_path: Path, name: str
) -> None:
    with TemporaryDirectory(dir=ROOM) as room:
        folder = Path(room) / "files"
        shutil.copytree(filled / "files", folder)
        for inside in [Path(each) for each, _, _ in os.walk(folder)]:
            (inside / name).write_text("{}")

        use(f"json:{folder}", tmp_path)
