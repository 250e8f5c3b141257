"""What is known of a scope before anything is."""

from __future__ import annotations

from holdfast.domain.scope_record import ScopeRecord


def test_record_when_nothing_is_known_then_it_is_neither_open_nor_finished() -> None:
    record = ScopeRecord()

    assert (record.is_open, record.is_finished) == (False, False)
    assert record.state == {}
    assert (record.input, record.output, record.opening, record.handler) == (None,) * 4


def test_record_when_two_are_made_then_they_do_not_share_their_state() -> None:
    assert ScopeRecord().state is not ScopeRecord().state
