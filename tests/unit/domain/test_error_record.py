"""What is kept of an exception."""

from __future__ import annotations

import dataclasses

import pytest
from holdfast.domain.error_record import ErrorRecord


class Custom(Exception):
    pass


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Odd(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]  # noqa: PLE0307 - the oddity


def raised(error: BaseException, cause: BaseException | None = None) -> ErrorRecord:
    """Return the record of *error*, raised here."""
    try:
        raise error from cause
    except BaseException as caught:  # noqa: BLE001 - whatever the test wants
        return ErrorRecord.of(caught)


def test_of_when_a_builtin_was_raised_then_type_message_and_traceback_are_kept() -> None:
    record = raised(ValueError("no such file"))

    assert (record.type, record.message) == ("ValueError", "no such file")
    assert record.traceback.startswith("Traceback (most recent call last):")
    assert "in raised" in record.traceback
    assert record.traceback.endswith("ValueError: no such file\n")


def test_of_when_the_class_is_somebodys_own_then_its_module_is_named() -> None:
    assert raised(Custom("x")).type == f"{__name__}.Custom"


def test_of_when_the_class_is_nested_then_its_qualified_name_is_kept() -> None:
    class Local(Exception):
        pass

    assert raised(Local()).type.endswith(".<locals>.Local")


def test_of_when_there_is_a_cause_then_the_traceback_tells_of_it() -> None:
    record = raised(ValueError("outer"), KeyError("inner"))

    assert "KeyError: 'inner'" in record.traceback
    assert "direct cause" in record.traceback


def test_of_when_several_were_raised_together_then_each_is_in_the_traceback() -> None:
    record = raised(ExceptionGroup("two", [ValueError("one"), TypeError("other")]))

    assert record.type == "ExceptionGroup"
    assert "ValueError: one" in record.traceback
    assert "TypeError: other" in record.traceback


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_of_when_it_is_no_ordinary_exception_then_it_is_recorded_too(error: BaseException) -> None:
    assert raised(error).type == type(error).__name__


@pytest.mark.parametrize("error", [Mute(), Odd()])
def test_of_when_the_message_cannot_be_read_then_the_failure_is_not_hidden(
    error: Exception,
) -> None:
    record = raised(error)

    assert record.type == f"{__name__}.{type(error).__name__}"
    assert record.message.startswith("(its message could not be read: ")
    assert "in raised" in record.traceback


def test_of_when_it_was_never_raised_then_there_is_no_stack_but_the_rest() -> None:
    record = ErrorRecord.of(ValueError("x"))

    assert (record.type, record.message, record.traceback) == (
        "ValueError",
        "x",
        "ValueError: x\n",
    )


@pytest.mark.parametrize(
    ("length", "kept"),
    [(3_999, 3_999), (4_000, 4_000), (4_001, 4_000), (1_000_000, 4_000)],
)
def test_message_when_long_then_it_is_cut_at_its_end(length: int, kept: int) -> None:
    message = ErrorRecord("E", "a" + "b" * (length - 1)).message

    assert len(message) == kept
    assert message.startswith("ab")
    assert message.endswith("…") is (length > kept)


@pytest.mark.parametrize(
    ("length", "kept"),
    [(15_999, 15_999), (16_000, 16_000), (16_001, 16_000), (1_000_000, 16_000)],
)
def test_traceback_when_long_then_it_is_cut_at_its_beginning(length: int, kept: int) -> None:
    traceback = ErrorRecord("E", "", "b" * (length - 1) + "a").traceback

    assert len(traceback) == kept
    assert traceback.endswith("ba")
    assert traceback.startswith("…") is (length > kept)


def test_type_when_long_then_it_is_cut() -> None:
    assert ErrorRecord("E" * 500, "").type == "E" * 200


@pytest.mark.parametrize("field", ["type", "message", "traceback"])
def test_text_when_it_has_lone_surrogates_then_it_becomes_legible_and_can_be_stored(
    field: str,
) -> None:
    record = ErrorRecord(**{"type": "E", "message": "", field: "file-\udcff.txt 🦑"})

    assert getattr(record, field) == "file-\\udcff.txt 🦑"


def test_text_when_surrogates_make_it_longer_then_it_is_still_bounded() -> None:
    record = ErrorRecord("\udcff" * 200, "\udcff" * 4_000, "\udcff" * 16_000)

    assert (len(record.type), len(record.message), len(record.traceback)) == (200, 4_000, 16_000)


def test_record_when_changed_then_it_is_refused() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ErrorRecord("E", "x").message = "y"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("message", "summary"),
    [
        ("no such file", "E: no such file"),
        ("two\n  lines\tand more ", "E: two lines and more"),
        ("", "E"),
        (" \n ", "E"),
    ],
)
def test_summary_when_asked_then_it_is_one_line(message: str, summary: str) -> None:
    assert ErrorRecord("E", message).summary == summary
