"""What every attempt log promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ...domain.attempt import Attempt, Outcome
from ...domain.checkpoint_id import CheckpointId
from ...domain.error_record import ErrorRecord
from ...domain.lease import Owner
from ...domain.ports import Store, UnitOfWork

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


OWNER = Owner("host", "boot-1", "pid:[4026531836]", 4711, 123456)


BEGUN = Attempt("wf", 1, 3, "handler", OWNER, "correlation", AT, 12)


ENDED = replace(
    BEGUN,
    handler=None,
    target=CheckpointId("wf", "stage/1 @", "agent 🚀", 12),
    ended_at=AT + timedelta(seconds=1, microseconds=1),
    outcome=Outcome.FAILED,
    error=ErrorRecord("pkg.Boom", "naïve\nmessage", "Traceback …"),
    output_tail="the end ✓\n\x00",
)


class AttemptLogContract:
    """Subclass it for each adapter, with a fixture ``store``."""

    def test_reading_when_there_was_none_then_nothing(self, store: Store) -> None:
        _put(store, replace(BEGUN, workflow_id="other"))

        assert (_last(store, "wf"), _all(store, "wf")) == (None, [])

    @pytest.mark.parametrize(
        "attempt",
        [
            BEGUN,
            ENDED,
            *(replace(ENDED, outcome=outcome) for outcome in Outcome),
            replace(BEGUN, workflow_id="release/42 @ 日本語 🚀", begun_after=2**62, epoch=2**62),
            replace(BEGUN, owner=Owner("höst", None, None, 1, None), begun_after=0),
        ],
    )
    def test_reading_when_put_then_every_field_is_equal(
        self, store: Store, attempt: Attempt
    ) -> None:
        _put(store, attempt)

        assert _last(store, attempt.workflow_id) == attempt
        assert _all(store, attempt.workflow_id) == [attempt]

    def test_all_when_there_are_several_then_the_oldest_first(self, store: Store) -> None:
        attempts = [replace(BEGUN, number=number) for number in (2, 10, 1, 9)]
        for each in attempts:
            _put(store, each)
        _put(store, replace(BEGUN, workflow_id="other", number=11))

        assert [each.number for each in _all(store, "wf")] == [1, 2, 9, 10]
        assert _last(store, "wf") == attempts[1]

    def test_put_when_its_number_is_there_then_it_takes_its_place(self, store: Store) -> None:
        second = replace(BEGUN, number=2)
        _put(store, BEGUN)
        _put(store, second)

        _put(store, ENDED)

        assert _all(store, "wf") == [ENDED, second]
        assert _last(store, "wf") == second

    def test_put_when_in_the_same_unit_of_work_then_it_is_there(self, store: Store) -> None:
        def work(uow: UnitOfWork) -> list[Attempt]:
            uow.attempts.put(BEGUN)
            uow.attempts.put(ENDED)
            return uow.attempts.all("wf")

        assert store.write(work) == [ENDED]

    def test_put_when_the_unit_of_work_is_rolled_back_then_the_old_one_stays(
        self, store: Store
    ) -> None:
        def work(uow: UnitOfWork) -> None:
            uow.attempts.put(ENDED)
            uow.attempts.put(replace(BEGUN, number=2))
            uow.attempts.put(replace(BEGUN, workflow_id="new"))
            raise LookupError

        _put(store, BEGUN)

        with pytest.raises(LookupError):
            store.write(work)

        assert (_all(store, "wf"), _all(store, "new")) == ([BEGUN], [])


def _put(store: Store, attempt: Attempt) -> None:
    store.write(lambda uow: uow.attempts.put(attempt))


def _last(store: Store, workflow_id: str) -> Attempt | None:
    return store.read(lambda uow: uow.attempts.last(workflow_id))


def _all(store: Store, workflow_id: str) -> list[Attempt]:
    return store.read(lambda uow: uow.attempts.all(workflow_id))
