"""Damage behind the store's back: it is reported by id, and what is intact is found.

Every column of every table is changed once, with plain SQL; nothing changed may come back as good.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from holdfast.domain.attempt import Attempt, Outcome
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.error_record import ErrorRecord
from holdfast.domain.errors import CheckpointCorrupted, Damaged
from holdfast.domain.events import DomainEvent, EventKind
from holdfast.domain.lease import Lease, Owner
from holdfast.domain.moment import Moment
from holdfast.domain.payload import JsonText, Payload
from holdfast.domain.ports import CheckpointFilter, UnitOfWork
from holdfast.domain.scope import Scope
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite import schema
from holdfast.infrastructure.sqlite.store import SqliteStore

Save = Callable[..., Checkpoint]
OpenStore = Callable[..., SqliteStore]
Behind = Callable[..., list[Any]]

AT = datetime(2026, 3, 1, tzinfo=UTC)
OWNER = Owner("host", "boot", "pid:[1]", 7, 8)
LEASE = Lease("wf", 3, "token", OWNER, 60.0, AT, Moment(AT, "boot", 1), AT)
ATTEMPT = Attempt(
    "wf",
    1,
    3,
    "handler",
    OWNER,
    "correlation",
    AT,
    1,
    target=CheckpointId("wf", "s", "a", 3),
    ended_at=AT,
    outcome=Outcome.FAILED,
    error=ErrorRecord("E", "m", "t"),
    output_tail="tail",
)
EVENT = DomainEvent(
    EventKind.FAILED, "wf", AT, CheckpointId("wf", "s", "a", 3), 3, "correlation", {"k": 1}
)
INTACT = CheckpointId("wf", "s", None, 2)
DAMAGED = CheckpointId("wf", "s", "a", 3)
HEAD = CheckpointId("wf", "s", "a", 4)


FLIPPED = "flipped"


@dataclass(frozen=True)
class Damage:
    """A column, and what becomes of its value: another one, or the same with one bit flipped."""

    column: str
    value: object = FLIPPED

    def __str__(self) -> str:
        return f"{self.column}: {self.value}"


def _damages(table: sa.Table, *besides: str) -> list[Damage]:
    """Return a damage of each column, and a second one of those that may be empty."""
    columns = [each for each in table.columns if each.name not in (*besides, "keyframe")]
    return [
        *(Damage(each.name) for each in columns),
        *(Damage(each.name, None) for each in columns if each.nullable),
        # So short a chain has none.
        *(Damage(each.name, 1) for each in table.columns if each.name == "keyframe"),
    ]


def _flip(value: object) -> object:
    """Return a value with one bit flipped, such that it is still of its type."""
    if isinstance(value, int):
        return value ^ 64
    if isinstance(value, float):
        return value * 2
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    assert isinstance(value, str)
    return value[:-1] + chr(ord(value[-1]) ^ 1)


TEXTS = [each.name for each in schema.checkpoints.columns if isinstance(each.type, sa.Text)]
# The two by which a row is found: changed, it is as if the row were somewhere else.
KEYS = ("workflow", "sequence")
# Another ancestor, itself, and its own child: the last two must not send anybody round in circles.
WRONG_PARENTS = [Damage("parent", 1), Damage("parent", 3), Damage("parent", 4)]


@pytest.fixture(scope="module")
def filled_file(tmp_path_factory: pytest.TempPathFactory, empty_store_file: Path) -> Path:
    """A store with a chain of four, of which the third has something in every column."""
    path = tmp_path_factory.mktemp("filled") / "store.db"
    shutil.copyfile(empty_store_file, path)
    store = SqliteStore.open(path, JsonCodec())
    store.write(_fill)
    store.close()
    return path


@pytest.fixture
def store(path: Path, filled_file: Path, open_store: OpenStore) -> SqliteStore:
    shutil.copyfile(filled_file, path)
    return open_store(path)


@pytest.fixture
def damage(store: SqliteStore, behind: Behind) -> Callable[[Damage], None]:
    """Damage the third checkpoint."""

    def do(what: Damage) -> None:
        _apply(behind, "checkpoints", what, "sequence = 3")

    return do


# Checkpoints.


@pytest.mark.parametrize("what", _damages(schema.checkpoints, *KEYS, "body"), ids=str)
def test_get_when_a_column_is_damaged_then_it_is_reported(
    store: SqliteStore, damage: Callable[[Damage], None], what: Damage
) -> None:
    damage(what)

    with pytest.raises(CheckpointCorrupted) as caught:
        store.read(lambda uow: uow.checkpoints.get(DAMAGED))

    assert "checkpoint 3 of wf" in str(caught.value) or str(DAMAGED) in str(caught.value)


def test_get_when_it_is_damaged_then_the_error_names_it_as_it_was_asked_for(
    store: SqliteStore, damage: Callable[[Damage], None]
) -> None:
    damage(Damage("name", "other"))

    with pytest.raises(CheckpointCorrupted) as caught:
        store.read(lambda uow: uow.checkpoints.get(DAMAGED))

    assert caught.value.subject == str(DAMAGED)


@pytest.mark.parametrize("what", _damages(schema.checkpoints, *KEYS, "body_digest"), ids=str)
def test_payload_when_a_column_or_the_body_is_damaged_then_it_is_reported(
    store: SqliteStore, damage: Callable[[Damage], None], what: Damage
) -> None:
    damage(what)

    with pytest.raises(CheckpointCorrupted):
        store.read(lambda uow: uow.checkpoints.payload(DAMAGED))


@pytest.mark.parametrize("what", [*_damages(schema.checkpoints), *WRONG_PARENTS], ids=str)
def test_replay_when_an_ancestor_is_damaged_anywhere_then_it_is_reported(
    store: SqliteStore, damage: Callable[[Damage], None], what: Damage
) -> None:
    damage(what)

    with pytest.raises(Damaged, match="wf"):
        store.read(lambda uow: uow.checkpoints.replay(HEAD))


@pytest.mark.parametrize("what", _damages(schema.checkpoints, "body"), ids=str)
def test_find_when_a_row_is_damaged_then_it_is_reported(
    store: SqliteStore, damage: Callable[[Damage], None], what: Damage
) -> None:
    damage(what)

    with pytest.raises(CheckpointCorrupted):
        store.read(lambda uow: list(uow.checkpoints.find(CheckpointFilter())))


@pytest.mark.parametrize("column", TEXTS)
def test_get_when_a_flipped_bit_leaves_no_valid_text_then_it_is_reported_as_damage(
    store: SqliteStore, behind: Behind, column: str
) -> None:
    # The highest bit of the last byte: what is there then is not UTF-8.
    ((content,),) = behind(f"SELECT CAST({column} AS BLOB) FROM checkpoints WHERE sequence = 3")  # noqa: S608
    flipped = content[:-1] + bytes([content[-1] ^ 0x80])
    behind(
        f"UPDATE checkpoints SET {column} = CAST(? AS TEXT) WHERE sequence = 3",  # noqa: S608
        flipped,
    )

    with pytest.raises(CheckpointCorrupted):
        store.read(lambda uow: uow.checkpoints.get(DAMAGED))
    assert store.read(lambda uow: uow.checkpoints.newest_intact(HEAD)) == INTACT


# Not the keys: a row that is found no more is a missing ancestor, which is `ChainBroken`.
@pytest.mark.parametrize("what", [*_damages(schema.checkpoints, *KEYS), *WRONG_PARENTS], ids=str)
def test_newest_intact_when_an_ancestor_is_damaged_then_it_is_the_one_before_that(
    store: SqliteStore, damage: Callable[[Damage], None], what: Damage
) -> None:
    damage(what)

    assert store.read(lambda uow: uow.checkpoints.newest_intact(HEAD)) == INTACT
    replay = store.read(lambda uow: uow.checkpoints.replay(INTACT))
    assert replay.record(Scope("wf", "s")).state == {"n": 2}


def test_newest_intact_when_the_root_is_damaged_then_there_is_none(
    store: SqliteStore, behind: Behind
) -> None:
    _apply(behind, "checkpoints", Damage("body", b"{}"), "sequence = 1")

    assert store.read(lambda uow: uow.checkpoints.newest_intact(HEAD)) is None


@pytest.mark.parametrize(
    "what",
    [
        *WRONG_PARENTS,
        Damage("parent", None),
        Damage("stage_id", "other"),
        Damage("agent_id", None),
    ],
    ids=str,
)
def test_chain_when_a_row_is_damaged_then_no_wrong_chain_is_given(
    store: SqliteStore, damage: Callable[[Damage], None], what: Damage
) -> None:
    damage(what)

    with pytest.raises(Damaged):
        store.read(lambda uow: uow.checkpoints.chain(HEAD))


@pytest.mark.parametrize(
    "what",
    [Damage("stage_id", "other"), Damage("agent_id", None), Damage("link")],
    ids=str,
)
def test_standing_when_the_head_is_damaged_then_no_wrong_head_is_given(
    store: SqliteStore, behind: Behind, what: Damage
) -> None:
    _apply(behind, "checkpoints", what, "sequence = 4")

    with pytest.raises(CheckpointCorrupted):
        store.read(lambda uow: uow.checkpoints.standing("wf"))


@pytest.mark.parametrize(
    "way", ["unfinished", "scope_last", "unfinished_workflows", "summaries", "events"]
)
def test_reading_when_a_row_on_the_way_is_damaged_then_it_is_reported(
    store: SqliteStore, behind: Behind, way: str
) -> None:
    ways: dict[str, Callable[[UnitOfWork], Any]] = {
        "unfinished": lambda uow: uow.checkpoints.unfinished("wf"),
        "scope_last": lambda uow: uow.checkpoints.scope_last(Scope("wf"), HEAD),
        "unfinished_workflows": lambda uow: list(uow.checkpoints.unfinished_workflows()),
        "summaries": lambda uow: list(uow.checkpoints.summaries()),
        "events": lambda uow: uow.events.read(),
    }
    _apply(behind, "checkpoints", Damage("retry_count", 1), "sequence = 1")

    with pytest.raises(CheckpointCorrupted) as caught:
        store.read(ways[way])

    # By the name of its workflow, not by a number that nobody can look up.
    assert "wf" in caught.value.subject.split("workflow number")[0]


def test_update_when_the_row_is_damaged_then_it_is_not_sealed_as_good(
    store: SqliteStore, damage: Callable[[Damage], None]
) -> None:
    checkpoint = store.read(lambda uow: uow.checkpoints.get(DAMAGED))
    damage(Damage("name", "other"))
    checkpoint.touch(AT + timedelta(days=9))

    with pytest.raises(CheckpointCorrupted):
        store.write(lambda uow: uow.checkpoints.update(checkpoint))
    with pytest.raises(CheckpointCorrupted):
        store.read(lambda uow: uow.checkpoints.get(DAMAGED))


# What stands beside them.


@pytest.mark.parametrize("what", _damages(schema.workflows, "id", "workflow_id"), ids=str)
def test_standing_when_the_record_of_the_workflow_is_damaged_then_it_is_reported(
    store: SqliteStore, behind: Behind, what: Damage
) -> None:
    _apply(behind, "workflows", what)

    with pytest.raises(CheckpointCorrupted, match="wf"):
        store.read(lambda uow: uow.checkpoints.standing("wf"))


@pytest.mark.parametrize("what", [Damage("id"), Damage("workflow_id")], ids=str)
def test_find_when_the_name_of_the_workflow_is_damaged_then_nothing_is_given_under_another(
    store: SqliteStore, behind: Behind, what: Damage
) -> None:
    _apply(behind, "workflows", what)

    with pytest.raises(CheckpointCorrupted):
        store.read(lambda uow: list(uow.checkpoints.find(CheckpointFilter())))
    with pytest.raises(CheckpointCorrupted):
        store.read(lambda uow: uow.events.read())


@pytest.mark.parametrize("what", _damages(schema.leases, "resource"), ids=str)
def test_lease_when_a_column_is_damaged_then_it_is_reported(
    store: SqliteStore, behind: Behind, what: Damage
) -> None:
    _apply(behind, "leases", what)

    with pytest.raises(CheckpointCorrupted, match="the lease of wf"):
        store.read(lambda uow: uow.leases.get("wf"))
    with pytest.raises(CheckpointCorrupted, match="the lease of wf"):
        store.write(lambda uow: uow.leases.put(LEASE))


@pytest.mark.parametrize("what", _damages(schema.attempts, "workflow_id"), ids=str)
def test_attempts_when_a_column_is_damaged_then_it_is_reported(
    store: SqliteStore, behind: Behind, what: Damage
) -> None:
    _apply(behind, "attempts", what)

    with pytest.raises(CheckpointCorrupted, match=r"attempt \d+ of wf"):
        store.read(lambda uow: uow.attempts.last("wf"))
    with pytest.raises(CheckpointCorrupted, match=r"attempt \d+ of wf"):
        store.read(lambda uow: uow.attempts.all("wf"))


@pytest.mark.parametrize("what", _damages(schema.events), ids=str)
def test_events_when_a_column_is_damaged_then_it_is_reported(
    store: SqliteStore, behind: Behind, what: Damage
) -> None:
    _apply(behind, "events", what)

    with pytest.raises(CheckpointCorrupted, match="event"):
        store.read(lambda uow: uow.events.read())


# What is not damage.


def test_payload_when_the_limit_was_lowered_since_then_it_is_read_all_the_same(
    store: SqliteStore, path: Path, open_store: OpenStore
) -> None:
    lower = open_store(path, codec=JsonCodec(limit=4))

    found = lower.read(lambda uow: uow.checkpoints.payload(DAMAGED))

    assert (found.state, found.input) == (b'{"n":3}', b'["in"]')


# The store goes on when damage was met.


def test_read_when_an_earlier_error_is_kept_then_its_view_is_not(
    store: SqliteStore, save: Save, behind: Behind
) -> None:
    for _ in range(3):
        store.write(lambda uow: uow.events.append(EVENT))
    errors = _errors_of_damaged_events(store.read, behind)

    saved = save(store, "wf")

    standing = store.read(lambda uow: uow.checkpoints.standing("wf"))
    assert standing is not None
    assert standing.head == saved.id, errors


def test_write_when_an_earlier_error_is_kept_then_it_is_not_kept_waiting_by_it(
    store: SqliteStore, save: Save, behind: Behind, path: Path, open_store: OpenStore
) -> None:
    for _ in range(3):
        store.write(lambda uow: uow.events.append(EVENT))
    errors = _errors_of_damaged_events(store.write, behind)

    # Somebody else commits in between: what relies on an older view could not write any more.
    save(open_store(path), "wf")

    assert store.write(lambda uow: uow.sequences.next("wf"), timeout=1.0) == 6, errors


def _fill(uow: UnitOfWork) -> None:
    root, stage = CheckpointId("wf", None, None, 1), INTACT
    about: list[tuple[CheckpointId, str, dict[str, Any], bytes]] = [
        (root, "workflow_start", {"resume_handler": "h"}, b'{"n":1}'),
        (stage, "stage_start", {"parent_id": root}, b'{"n":2}'),
        (
            DAMAGED,
            "agent_start",
            {
                "parent_id": stage,
                "name": "name",
                "kind": "kind",
                "depends_on": (root, stage),
                "resume_handler": "handler",
                "error": ErrorRecord("E", "m", "t"),
                "reason": "reason",
                "due_at": AT,
                "epoch": 3,
                "metadata": {"k": 1},
            },
            b'{"n":3}',
        ),
        (HEAD, "progress", {"parent_id": DAMAGED}, b'{"n":4}'),
    ]
    for checkpoint_id, kind, more, state in about:
        checkpoint = Checkpoint(
            checkpoint_id, CheckpointType(kind), CheckpointStatus.ACTIVE, AT, AT, **more
        )
        payload = Payload(state=JsonText(state), input=JsonText(b'["in"]'))
        uow.checkpoints.add(checkpoint, payload)
        if checkpoint_id == DAMAGED:
            checkpoint.epoch = 4  # somebody took it over
            uow.checkpoints.update(checkpoint)
    uow.events.append(EVENT)
    uow.leases.put(LEASE)
    uow.attempts.put(ATTEMPT)


def _errors_of_damaged_events(
    run: Callable[[Callable[[UnitOfWork], Any]], Any], behind: Behind
) -> list[Exception]:
    """Return the error of reading events amid damage, with all that its frames hold."""
    _apply(behind, "checkpoints", Damage("retry_count", 1), "sequence = 1")
    errors: list[Exception] = []
    try:
        run(lambda uow: uow.events.read())
    except CheckpointCorrupted as error:
        errors.append(error)
    _apply(behind, "checkpoints", Damage("retry_count", 0), "sequence = 1")
    assert len(errors) == 1
    return errors


def _apply(behind: Behind, table: str, what: Damage, where: str = "1") -> None:
    ((before,),) = behind(f"SELECT {what.column} FROM {table} WHERE {where}")  # noqa: S608
    after = _flip(before) if what.value == FLIPPED else what.value
    assert after != before
    behind(f"UPDATE {table} SET {what.column} = ? WHERE {where}", after)  # noqa: S608
