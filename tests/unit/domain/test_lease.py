"""Leases: how one stands, and who may write under it."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from holdfast.domain.lease import (
    DEFAULT_DURATION,
    DEFAULT_SILENCE,
    Credentials,
    Lease,
    Owner,
    Standing,
)
from holdfast.domain.moment import Moment

WALL = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
SECOND = 1_000_000_000
TAKEN = Moment(WALL, "boot-1", 1000 * SECOND)
LEASE = Lease(
    resource="w",
    epoch=7,
    token="secret",
    owner=Owner("kelp", "boot-1", "pid:[1]", 4711, 99),
    duration=60.0,
    taken_at=WALL,
    renewed=TAKEN,
)


def later(seconds: float, *, wall: float | None = None, boot_id: str | None = "boot-1") -> Moment:
    """Return a moment *seconds* after the taking; *wall* seconds by the wall, if not the same."""
    return Moment(
        WALL + timedelta(seconds=seconds if wall is None else wall),
        boot_id,
        TAKEN.uptime_ns + round(seconds * SECOND),
    )


@pytest.mark.parametrize(
    ("now", "standing"),
    [
        (later(0), Standing.HELD),
        (later(59.999999999), Standing.HELD),
        (later(60), Standing.RAN_OUT),
        (later(61), Standing.RAN_OUT),
        (later(59, wall=1e6), Standing.HELD),
        (later(59, wall=-1e6), Standing.HELD),
        (later(61, wall=0), Standing.RAN_OUT),
        (later(61, wall=-1e6), Standing.RAN_OUT),
    ],
)
def test_standing_when_the_boot_is_the_same_then_the_clock_that_does_not_jump_decides(
    now: Moment, standing: Standing
) -> None:
    assert LEASE.standing(now) is standing


@pytest.mark.parametrize("boot_id", ["boot-2", None])
@pytest.mark.parametrize(
    ("wall", "standing"),
    [(59.999999, Standing.HELD), (60, Standing.RAN_OUT), (-10, Standing.HELD)],
)
def test_standing_when_the_boot_is_another_then_the_wall_decides(
    boot_id: str | None, wall: float, standing: Standing
) -> None:
    assert LEASE.standing(later(-990, wall=wall, boot_id=boot_id)) is standing
    assert LEASE.standing(later(1e6, wall=wall, boot_id=boot_id)) is standing


def test_standing_when_no_boot_is_known_on_either_side_then_the_wall_decides() -> None:
    lease = replace(LEASE, renewed=replace(TAKEN, boot_id=None))

    assert lease.standing(later(1e6, wall=59, boot_id=None)) is Standing.HELD
    assert lease.standing(later(0, wall=60, boot_id=None)) is Standing.RAN_OUT


@pytest.mark.parametrize("now", [later(0), later(1e6), later(0, boot_id="boot-2")])
def test_standing_when_the_owner_is_gone_then_no_clock_counts(now: Moment) -> None:
    assert LEASE.standing(now, owner_gone=True) is Standing.OWNER_GONE


@pytest.mark.parametrize("owner_gone", [False, True])
@pytest.mark.parametrize("now", [later(0), later(1e6), later(0, boot_id="boot-2")])
def test_standing_when_it_was_given_up_then_nothing_else_counts(
    now: Moment, owner_gone: bool
) -> None:
    assert LEASE.end().standing(now, owner_gone=owner_gone) is Standing.GIVEN_UP


def test_renew_when_done_then_the_duration_starts_again_and_nothing_else_changes() -> None:
    renewed = LEASE.renew(later(50))

    assert renewed == replace(LEASE, renewed=later(50))
    assert renewed.standing(later(109)) is Standing.HELD
    assert renewed.standing(later(110)) is Standing.RAN_OUT
    assert LEASE.standing(later(109)) is Standing.RAN_OUT


def test_renew_when_it_was_given_up_then_it_stays_so() -> None:
    assert LEASE.end().renew(later(1)).standing(later(1)) is Standing.GIVEN_UP


def test_end_when_done_then_the_epoch_stays_taken() -> None:
    ended = LEASE.end()

    assert ended == replace(LEASE, token=None)
    assert ended.epoch == 7


@pytest.mark.parametrize(
    ("credentials", "proves"),
    [
        (Credentials(7, "secret"), True),
        (Credentials(6, "secret"), False),
        (Credentials(8, "secret"), False),
        (Credentials(7, "Secret"), False),
        (Credentials(7, ""), False),
        (Credentials(7, "secret "), False),
    ],
)
def test_proves_when_shown_credentials_then_only_an_exact_match_counts(
    credentials: Credentials, proves: bool
) -> None:
    assert LEASE.proves(credentials) is proves


def test_proves_when_it_was_given_up_then_its_own_credentials_are_worth_nothing() -> None:
    assert not LEASE.end().proves(LEASE.credentials)


def test_proves_when_it_ran_out_and_nobody_took_it_then_its_credentials_still_hold() -> None:
    # A late write of an owner that nobody replaced does no harm: the epoch is still its own.
    assert LEASE.standing(later(1e6)) is Standing.RAN_OUT
    assert LEASE.proves(LEASE.credentials)


def test_credentials_when_it_was_given_up_then_there_are_none() -> None:
    with pytest.raises(ValueError, match="the lease of w was given up"):
        _ = LEASE.end().credentials


def test_expires_at_when_renewed_then_it_is_by_the_wall() -> None:
    assert LEASE.expires_at == WALL + timedelta(seconds=60)
    assert LEASE.renew(later(30)).expires_at == WALL + timedelta(seconds=90)


def test_repr_when_shown_then_it_does_not_tell_the_token() -> None:
    assert "secret" not in repr(LEASE)
    assert "secret" not in repr(LEASE.credentials)


@pytest.mark.parametrize("value", [LEASE, LEASE.owner, LEASE.credentials, TAKEN])
def test_value_when_any_field_is_changed_then_it_is_refused(
    value: Lease | Owner | Credentials | Moment,
) -> None:
    for field in dataclasses.fields(value):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field.name, None)


def test_defaults_when_nobody_sets_them_then_they_are_a_minute_and_half_an_hour() -> None:
    assert (DEFAULT_DURATION, DEFAULT_SILENCE) == (60.0, 1800.0)


def test_owner_when_shown_then_process_and_host_are_named() -> None:
    assert str(LEASE.owner) == "process 4711 on kelp"


def test_owner_when_a_number_comes_again_then_boot_and_start_tell_them_apart() -> None:
    assert LEASE.owner != replace(LEASE.owner, started=100)
    assert LEASE.owner != replace(LEASE.owner, boot_id="boot-2")
