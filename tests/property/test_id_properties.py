"""Ids: one text and one path for each, whatever people call things and wherever files are kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from holdfast.domain.checkpoint_id import MAX_SEQUENCE, CheckpointId, parse_target
from holdfast.domain.errors import InvalidId
from holdfast.domain.name_part import check_part, escape_part, file_name, unescape_part
from holdfast.domain.scope import Scope
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

quick = settings(deadline=None, max_examples=100)

# Names as people give them, names that file systems trip over, and whatever else is legal.
AWKWARD = [
    ".",
    "..",
    "/",
    "@",
    "%",
    "%2F",
    "%252F",
    "a/b",
    "a@1",
    "con",
    "CON.txt",
    "nul",
    "com1",
    "COM\u00b9",
    "lpt\u00b2.x",
    "conin$",
    "aux .c",
    "name.",
    "name ",
    ".name",
    "na:me",
    "stra\u00dfe",
    "STRASSE",
    "caf\u00e9",
    "cafe\u0301",
    "\u212bngstrom",
    "\u00c5ngstrom",
    "\u0130stanbul",
    "\ufb01le",
    "file",
    "\u1e9e",
    "\u03c3\u03c2\u03a3",
    "\u200b",
    "🦑",
    "@000000000001",
    "a~46cc3e03d6f88918fcdeb72d9d668500",
    "a" * 120,
    "a" * 121,
    "A" * 200,
    "\u00e9" * 100,
    "\ud55c" * 66,
]
characters = st.characters(exclude_categories=("Cs", "Cc"))
near_ascii = st.sampled_from("aAbB19._-~ /@%:\\\u00e9\u0301\u00df\u212a")
texts = st.text(near_ascii, min_size=1, max_size=8) | st.text(characters, min_size=1, max_size=50)
parts = (st.sampled_from(AWKWARD) | texts).filter(lambda part: len(part.encode()) <= 200)

VARIANTS: list[Callable[[str], str]] = [
    str.upper,
    str.lower,
    str.casefold,
    str.title,
    escape_part,
    file_name,
    lambda part: unicodedata.normalize("NFC", part),
    lambda part: unicodedata.normalize("NFD", part),
    lambda part: unicodedata.normalize("NFKC", part),
    lambda part: f"{part}.",
    lambda part: f"{part} ",
    lambda part: f".{part}",
    lambda part: f"_{part}",
    lambda part: part.replace("/", "_"),
    lambda part: part.rstrip(". "),
    lambda part: part[:-1],
]


def is_legal(part: str) -> bool:
    try:
        check_part("part", part)
    except InvalidId:
        return False
    return True


@st.composite
def similar_parts(draw: st.DrawFn) -> tuple[str, str]:
    """Two different parts, often hard to tell apart."""
    one = draw(parts)
    other = draw(st.sampled_from(VARIANTS).map(lambda change: change(one)) | parts)
    assume(one != other and is_legal(other))
    return one, other


@st.composite
def scopes(draw: st.DrawFn) -> Scope:
    names = draw(st.lists(parts, min_size=1, max_size=3))
    return Scope(*names)


sequences = st.integers(1, 20) | st.integers(1, MAX_SEQUENCE)
checkpoint_ids = st.builds(CheckpointId.of, scopes(), sequences)


@st.composite
def similar_ids(draw: st.DrawFn) -> tuple[CheckpointId, CheckpointId]:
    """Two different ids, often with the same letters in other places."""
    one = draw(checkpoint_ids)
    names = [name for name in (one.workflow_id, one.stage_id, one.agent_id) if name is not None]
    how = draw(st.sampled_from(["part", "joined", "split", "shorter", "sequence", "any"]))
    sequence = one.sequence
    if how == "part":
        position = draw(st.integers(0, len(names) - 1))
        names[position] = draw(st.sampled_from(VARIANTS))(names[position])
    elif how == "joined":
        names = ["/".join(names)]
    elif how == "split":
        names = str(one).split("@")[0].split("/") + names
        names = names[:3]
    elif how == "shorter":
        names = names[:-1] or names
        names[-1] = f"{names[-1]}@{sequence}"
    elif how == "sequence":
        sequence = draw(sequences)
    else:
        return one, draw(checkpoint_ids.filter(lambda other: other != one))
    assume(all(map(is_legal, names)))
    other = CheckpointId.of(Scope(*names), sequence)
    assume(other != one)
    return one, other


# How file systems see a name: as it is, without case, composed or decomposed, without an ending.
VIEWS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "folded": str.casefold,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "composed": lambda name: unicodedata.normalize("NFC", name),
    "decomposed": lambda name: unicodedata.normalize("NFD", name),
    "decomposed and folded": lambda name: unicodedata.normalize("NFD", name).casefold(),
    "compatible and folded": lambda name: unicodedata.normalize("NFKC", name.casefold()),
    "without endings": lambda name: name.rstrip(". ").casefold(),
}

DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"
}


def why_unsafe(name: str) -> str | None:
    """Return why some system would not take *name* as it is, or ``None``."""
    if not name or len(name.encode()) > 120:
        return "length"
    if any(char in '<>:"/\\|?*' or unicodedata.category(char) in ("Cc", "Cs") for char in name):
        return "characters"
    if name.endswith((".", " ")) or name.startswith((" ", ".")):
        return "dots and spaces"
    if name.split(".", maxsplit=1)[0].rstrip(" ").casefold() in DEVICES:
        return "a device"
    if name.startswith("@"):
        return "looks like a sequence"
    return None


# The check itself, on names that it must know: a check that passes everything would prove nothing.
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a", None),
        ("", "length"),
        ("a" * 121, "length"),
        ("a:b", "characters"),
        ("a.", "dots and spaces"),
        (".a", "dots and spaces"),
        ("con .txt", "a device"),
        ("COM\u00b9", "a device"),
        ("@1", "looks like a sequence"),
    ],
)
def test_why_unsafe_when_a_system_would_refuse_a_name_then_it_says_so(
    name: str, why: str | None
) -> None:
    assert why_unsafe(name) == why


@quick
@given(parts)
def test_part_when_escaped_then_it_is_free_of_separators_and_comes_back(part: str) -> None:
    text = escape_part(part)

    assert not set(text) & {"/", "@"}
    assert unescape_part("part", text) == part


@quick
@given(st.text(st.sampled_from("ab%@25F4f0")))
def test_text_when_it_is_read_as_a_part_then_it_is_the_very_text_that_is_written(text: str) -> None:
    try:
        part = unescape_part("part", text)
    except InvalidId:
        return

    assert escape_part(part) == text


@quick
@given(checkpoint_ids)
def test_id_when_written_as_text_then_it_parses_back(checkpoint_id: CheckpointId) -> None:
    text = str(checkpoint_id)

    assert CheckpointId.parse(text) == checkpoint_id
    assert parse_target(text) == checkpoint_id
    assert Scope.parse(str(checkpoint_id.scope)) == checkpoint_id.scope
    assert Scope.within(checkpoint_id.workflow_id, checkpoint_id.scope.key) == checkpoint_id.scope


@quick
@given(st.text(st.sampled_from("ab/@%251024F\u0661 "), max_size=12))
def test_text_when_it_parses_then_it_is_the_very_text_that_is_written(text: str) -> None:
    try:
        checkpoint_id = CheckpointId.parse(text)
    except InvalidId:
        return

    assert str(checkpoint_id) == text


@quick
@given(st.text() | st.binary() | st.none() | st.integers())
def test_text_when_it_is_anything_then_it_parses_or_is_refused_and_never_breaks(text: str) -> None:
    for parse in (CheckpointId.parse, Scope.parse, parse_target):
        try:
            parsed = parse(text)
        except InvalidId:
            continue
        assert str(parsed) == text


@quick
@given(similar_ids())
def test_ids_when_different_then_they_share_neither_text_nor_path(
    pair: tuple[CheckpointId, CheckpointId],
) -> None:
    one, other = pair

    assert str(one) != str(other)
    for view in VIEWS.values():
        assert [view(name) for name in one.path.parts] != [view(name) for name in other.path.parts]


@quick
@given(checkpoint_ids, checkpoint_ids)
def test_paths_when_of_two_ids_then_no_file_of_one_is_a_folder_of_the_other(
    one: CheckpointId, other: CheckpointId
) -> None:
    assert one.path not in other.path.parents


@quick
@given(checkpoint_ids)
def test_path_when_made_then_it_stays_inside_and_every_name_is_safe(
    checkpoint_id: CheckpointId,
) -> None:
    path = checkpoint_id.path

    assert not path.is_absolute()
    assert [why_unsafe(folder) for folder in path.parts[:-1] if why_unsafe(folder)] == []
    assert path.name == f"@{checkpoint_id.sequence:012}"
    assert len(path.parts) == len(checkpoint_id.scope.lineage) + 1


@quick
@given(st.sampled_from([None, "s"]), sequences, sequences)
def test_paths_when_sequences_grow_then_names_of_twelve_digits_sort_like_them(
    stage: str | None, one: int, other: int
) -> None:
    names = {n: CheckpointId("w", stage, None, n).path.name for n in (one, other)}

    if max(one, other) < 10**12:
        assert (names[one] < names[other]) is (one < other)


@settings(deadline=None, max_examples=300)
@given(parts)
@example("a" * 200)
@example("\ufdfa" * 66)
def test_file_name_when_part_is_legal_then_it_is_safe_everywhere(part: str) -> None:
    assert why_unsafe(file_name(part)) is None


@settings(deadline=None, max_examples=300)
@given(similar_parts())
def test_file_names_when_parts_differ_then_no_file_system_takes_one_for_the_other(
    pair: tuple[str, str],
) -> None:
    one, other = map(file_name, pair)

    assert [name for name, view in VIEWS.items() if view(one) == view(other)] == []
