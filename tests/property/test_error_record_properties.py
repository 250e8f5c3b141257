"""Whatever is raised, what is kept of it is bounded, and text that can be stored."""

from __future__ import annotations

from holdfast.domain.error_record import ErrorRecord
from holdfast.domain.errors import InvalidId
from hypothesis import given, settings
from hypothesis import strategies as st

# Python's own undecodable file names among it.
texts = st.text(st.characters(codec=None) | st.sampled_from("\ud800\udcff\n\0"), max_size=40)
long_texts = st.builds(lambda text, times: text * times, texts, st.sampled_from([1, 600]))


@settings(deadline=None, max_examples=100)
@given(long_texts, long_texts, long_texts)
def test_record_when_made_of_any_texts_then_it_is_bounded_and_can_be_stored(
    type_: str, message: str, traceback: str
) -> None:
    record = ErrorRecord(type_, message, traceback)

    assert len(record.type) <= 200
    assert len(record.message) <= 4_000
    assert len(record.traceback) <= 16_000
    for text in (record.type, record.message, record.traceback, record.summary):
        assert text.encode().decode() == text
    assert len(ErrorRecord("E", message).summary.splitlines()) == 1
    assert ErrorRecord(record.type, record.message, record.traceback) == record


@settings(deadline=None, max_examples=100)
@given(long_texts)
def test_of_when_any_message_is_raised_then_it_is_kept_as_far_as_it_goes(message: str) -> None:
    record = ErrorRecord.of(ValueError(message))

    legible = message.encode("utf-8", "backslashreplace").decode()
    assert record.type == "ValueError"
    assert record.message[:3_999] == legible[:3_999]


@settings(deadline=None, max_examples=100)
@given(st.text(st.characters(codec=None)) | st.integers() | st.binary() | st.none())
def test_invalid_id_when_made_of_any_value_then_its_message_is_short_and_can_be_printed(
    value: object,
) -> None:
    message = str(InvalidId("stage_id", value, "a rule"))

    assert message.encode()
    assert len(message) < 200
