"""Leases: how one stands, whatever the clocks say; and times that come back as they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from holdfast.domain.lease import Credentials, Lease, Owner, Standing
from holdfast.domain.moment import Moment, from_microseconds, to_microseconds
from holdfast.domain.staleness import stale_because
from hypothesis import given, settings
from hypothesis import strategies as st

quick = settings(deadline=None, max_examples=150)

walls = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
boots = st.sampled_from([None, "one", "other"])
# Small enough to meet, fine enough to miss by a nanosecond.
uptimes = st.integers(0, 200 * 10**9) | st.integers(0, 200).map(lambda each: each * 10**9)
moments = st.builds(Moment, walls, boots, uptimes)
durations = st.integers(1, 3600).map(float) | st.floats(0.001, 3600)
owner = Owner("kelp", "one", "pid:[1]", 1, 1)
leases = st.builds(
    Lease,
    resource=st.just("w"),
    epoch=st.integers(1, 5),
    token=st.none() | st.sampled_from(["t", "u", ""]),
    owner=st.just(owner),
    duration=durations,
    taken_at=walls,
    renewed=moments,
)
held_leases = leases.filter(lambda lease: lease.token is not None)


@st.composite
def leases_and_moments(draw: st.DrawFn) -> tuple[Lease, Moment]:
    """A lease and a moment near its end, by either clock, or anywhere."""
    lease = draw(leases)
    seconds = draw(st.sampled_from([0.0, lease.duration]) | st.floats(-4000, 8000))
    off = draw(st.integers(-2, 2))
    near = Moment(
        lease.renewed.wall + timedelta(seconds=seconds, microseconds=off),
        draw(boots),
        max(0, lease.renewed.uptime_ns + int(seconds * 1e9) + off),
    )
    return lease, draw(st.just(near) | moments)


@quick
@given(leases_and_moments(), st.booleans())
def test_standing_when_compared_with_the_rules_then_it_is_what_they_say(
    pair: tuple[Lease, Moment], owner_gone: bool
) -> None:
    lease, now = pair
    knows_boot = now.boot_id is not None and now.boot_id == lease.renewed.boot_id
    if knows_boot:
        # To the nanosecond, in integers.
        is_over = (now.uptime_ns - lease.renewed.uptime_ns) >= int(lease.duration * 1e9)
    else:
        is_over = now.wall - lease.renewed.wall >= timedelta(seconds=lease.duration)

    standing = lease.standing(now, owner_gone=owner_gone)

    assert (standing is Standing.GIVEN_UP) is (lease.token is None)
    assert (standing is Standing.OWNER_GONE) is (lease.token is not None and owner_gone)
    if lease.token is not None and not owner_gone:
        assert standing is (Standing.RAN_OUT if is_over else Standing.HELD)


@quick
@given(held_leases, walls, walls, uptimes)
def test_standing_when_the_wall_jumps_within_one_boot_then_it_stays_as_it_was(
    lease: Lease, wall: datetime, other_wall: datetime, uptime: int
) -> None:
    lease = replace(lease, renewed=replace(lease.renewed, boot_id="one"))

    assert lease.standing(Moment(wall, "one", uptime)) is lease.standing(
        Moment(other_wall, "one", uptime)
    )


@quick
@given(held_leases, moments, uptimes)
def test_standing_when_it_ran_out_by_the_clock_then_it_is_never_held_again(
    lease: Lease, now: Moment, more: int
) -> None:
    later = replace(now, uptime_ns=now.uptime_ns + more, wall=now.wall + timedelta(days=1))

    if lease.standing(now) is Standing.RAN_OUT:
        assert lease.standing(later) is Standing.RAN_OUT


@quick
@given(held_leases, moments)
def test_standing_when_just_renewed_then_it_is_held(lease: Lease, now: Moment) -> None:
    assert lease.renew(now).standing(now) is Standing.HELD


@quick
@given(leases, moments, moments, st.booleans())
def test_standing_when_given_up_then_nothing_brings_it_back(
    lease: Lease, now: Moment, renewed: Moment, owner_gone: bool
) -> None:
    over = lease.end().renew(renewed)

    assert over.standing(now, owner_gone=owner_gone) is Standing.GIVEN_UP
    assert over.epoch == lease.epoch


credentials = st.builds(Credentials, st.integers(1, 5), st.sampled_from(["t", "u", ""]))


@quick
@given(leases, credentials)
def test_proves_when_shown_anything_then_only_both_together_count(
    lease: Lease, shown: Credentials
) -> None:
    exact = (shown.epoch, shown.token) == (lease.epoch, lease.token)

    assert lease.proves(shown) is exact
    assert not lease.end().proves(shown)


@quick
@given(leases_and_moments(), walls, st.timedeltas(timedelta(0), timedelta(days=9)))
def test_stale_because_when_a_lease_is_held_then_never_and_otherwise_always(
    pair: tuple[Lease, Moment], last_sign: datetime, threshold: timedelta
) -> None:
    lease, now = pair
    standing = lease.standing(now)

    because = stale_because(standing, last_sign, now.wall, threshold)

    assert (because is None) is (standing is Standing.HELD)


@quick
@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_microseconds_when_times_are_stored_then_they_and_their_order_come_back(
    one: datetime, other: datetime
) -> None:
    assert from_microseconds(to_microseconds(one)) == one
    assert (to_microseconds(one) < to_microseconds(other)) is (one < other)
