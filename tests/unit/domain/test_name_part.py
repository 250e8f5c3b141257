"""The rules for a part of an id, its text form and its file name."""

from __future__ import annotations

import hashlib

import pytest
from holdfast.domain.errors import InvalidId
from holdfast.domain.name_part import check_part, escape_part, file_name, unescape_part


class Text(str):
    """A string that is more than a string."""

    __slots__ = ()


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "a/b",
        "a@b",
        "100%",
        "%2F",
        " ",
        "two words",
        ".",
        "..",
        ".hidden",
        "CON",
        "🦑",
        "caf\u00e9",
        "cafe\u0301",
        "\u2028",
        "\u202e",
        "\u0378",
        "\ue000",
        "a" * 200,
        "\u00e9" * 100,
        "🦑" * 50,
        "\u0378" * 60,
    ],
)
def test_check_part_when_part_is_legal_then_it_comes_back(part: str) -> None:
    assert check_part("stage_id", part) is part


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        ("", "must not be empty"),
        ("a" * 201, "it has 201 bytes in UTF-8, at most 200 are allowed"),
        ("\u00e9" * 101, "it has 202 bytes"),
        ("🦑" * 51, "it has 204 bytes"),
        ("\0", "control characters"),
        ("a\nb", "control characters"),
        ("a\tb", "control characters"),
        ("\x1f", "control characters"),
        ("\x7f", "control characters"),
        ("\x80", "control characters"),
        ("\x9f", "control characters"),
        ("x" * 60 + "\r", "control characters"),
        ("\ud800", "lone surrogates"),
        ("a\udfffb", "lone surrogates"),
        ("x" * 60 + "\ude00", "lone surrogates"),
    ],
)
def test_check_part_when_part_breaks_a_rule_then_the_error_names_part_and_rule(
    part: str, rule: str
) -> None:
    with pytest.raises(InvalidId) as caught:
        check_part("stage_id", part)

    assert caught.value.what == "stage_id"
    assert caught.value.value == part
    assert rule in caught.value.rule
    assert rule in str(caught.value)


@pytest.mark.parametrize("part", [None, 7, 1.5, True, b"a", ["a"], Text("a")])
def test_check_part_when_part_is_no_plain_string_then_it_is_refused(part: object) -> None:
    with pytest.raises(InvalidId, match=f"must be a string, not {type(part).__name__}"):
        check_part("workflow_id", part)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("plain", "plain"),
        ("a/b", "a%2Fb"),
        ("a@b", "a%40b"),
        ("100%", "100%25"),
        ("%2F", "%252F"),
        ("%/@%", "%25%2F%40%25"),
        ("🦑 ..", "🦑 .."),
    ],
)
def test_escape_part_when_part_has_separators_then_they_alone_are_encoded(
    part: str, text: str
) -> None:
    assert escape_part(part) == text
    assert unescape_part("stage_id", text) == part


@pytest.mark.parametrize(
    "text",
    ["%", "a%", "%2", "%2f", "%4", "%41", "%00", "%20", "%%25", "a%2Gb", "a@b", "%25@", "", "\n"],
)
def test_unescape_part_when_text_is_none_that_escaping_writes_then_it_is_refused(text: str) -> None:
    with pytest.raises(InvalidId) as caught:
        unescape_part("agent_id", text)

    assert caught.value.what == "agent_id"


def test_unescape_part_when_only_the_encoded_text_is_long_then_the_part_is_legal() -> None:
    assert unescape_part("stage_id", "%2F" * 200) == "/" * 200


def test_unescape_part_when_the_part_itself_is_too_long_then_it_is_refused() -> None:
    with pytest.raises(InvalidId, match="it has 201 bytes"):
        unescape_part("stage_id", "%2F" * 201)


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "analyse-2",
        "v1.2_final",
        "-",
        "_",
        "0",
        "console",
        "com",
        "com10",
        "lpt",
        "auxiliary",
        "a.con",
        "nul-1",
        "a" * 120,
    ],
)
def test_file_name_when_part_is_plain_then_it_stands_for_itself(part: str) -> None:
    assert file_name(part) == part


@pytest.mark.parametrize("code", range(32, 127))
def test_file_name_when_part_has_any_ascii_character_then_small_letters_digits_and_three_are_plain(
    code: int,
) -> None:
    part = f"a{chr(code)}z"

    assert (file_name(part) == part) is (chr(code) in "abcdefghijklmnopqrstuvwxyz0123456789._-")


@pytest.mark.parametrize(
    ("part", "readable"),
    [
        ("Analyse", "analyse"),
        ("a/b", "a_b"),
        ("a\\b", "a_b"),
        ("a:b", "a_b"),
        ('<>"|?*', "______"),
        ("two words", "two_words"),
        ("trailing ", "trailing_"),
        ("trailing.", "trailing."),
        (" ", "_"),
        (".", "_."),
        ("..", "_.."),
        (".hidden", "_.hidden"),
        ("~", "_"),
        ("con", "_con"),
        ("CON", "_con"),
        ("con.txt", "_con.txt"),
        ("Nul.tar.gz", "_nul.tar.gz"),
        ("prn", "_prn"),
        ("AUX", "_aux"),
        ("com0", "_com0"),
        ("com1", "_com1"),
        ("LPT9.log", "_lpt9.log"),
        ("CONIN$", "conin_"),
        ("con .txt", "con_.txt"),
        ("@000000000001", "_000000000001"),
        ("a" * 121, "a" * 87),
        ("a\u202eb", "a_b"),
        ("🦑", "_"),
    ],
)
def test_file_name_when_part_is_not_plain_then_its_readable_part_ends_in_a_digest(
    part: str, readable: str
) -> None:
    digest = hashlib.blake2b(part.encode(), digest_size=16).hexdigest()

    assert file_name(part) == f"{readable}~{digest}"


@pytest.mark.parametrize("part", ["\u00e9" * 100, "\ud55c" * 66, "🦑" * 50, "A" * 200, "." * 200])
def test_file_name_when_part_is_long_then_the_name_has_at_most_120_bytes(part: str) -> None:
    assert len(file_name(part).encode()) <= 120


@pytest.mark.parametrize("part", ["COM\u00b9", "com\u00b2.log", "LPT\u00b3.tar.gz", "lpt\u00b9"])
def test_file_name_when_part_is_a_device_with_a_superscript_then_it_is_none_anymore(
    part: str,
) -> None:
    stem = file_name(part).split(".")[0]

    assert stem != part.split(".", maxsplit=1)[0].casefold()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Load", "load"),
        ("LOAD", "Load"),
        ("caf\u00e9", "cafe\u0301"),
        ("stra\u00dfe", "strasse"),
        ("a/b", "a_b"),
        ("a/b", "a:b"),
        ("load", "load."),
        ("load", "load "),
        ("con", "_con"),
        ("a" * 121, "a" * 122),
        ("\u212a", "k"),
    ],
)
def test_file_name_when_two_parts_look_alike_then_their_names_differ(one: str, other: str) -> None:
    assert file_name(one).casefold() != file_name(other).casefold()


# APFS refuses names with characters that its Unicode does not know (9.0 at first), and another
# version of Python would fold and classify such characters otherwise: no part of a name.
@pytest.mark.parametrize("letter", ["\u0560", "\ua7ba", "\U00016e40", "\U00010570"])
def test_file_name_when_part_has_a_letter_newer_than_unicode_9_then_it_is_left_out(
    letter: str,
) -> None:
    name = file_name(f"step {letter}")

    assert not set(name) & {letter, letter.casefold(), letter.lower(), letter.upper()}
