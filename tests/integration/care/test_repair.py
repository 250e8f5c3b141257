"""`engine.verify(repair=True)`: nothing is destroyed, and what is left verifies."""

from __future__ import annotations

import json
import random
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import holdfast
import pytest

Behind = Callable[..., list[Any]]

FLIGHT = "workflow = (SELECT id FROM workflows WHERE workflow_id = 'flight')"


def _repair(path: Path) -> Any:
    with holdfast.open(path) as engine:
        report = engine.verify(repair=True)
        assert engine.verify().intact, engine.verify().findings
        return report


def _quarantined(path: Path) -> list[dict[str, Any]]:
    text = path.with_name(f"{path.name}-quarantine").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_repair_when_nothing_is_damaged_then_nothing_is_written(path: Path) -> None:
    with holdfast.open(path) as engine:
        before = engine.events(limit=10_000)
        report = engine.verify(repair=True)
        assert engine.events(limit=10_000) == before

    assert report.intact and report.quarantine is None
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("table", "change", "where"),
    [
        ("checkpoints", "retry_count = 1", f"sequence = 30 AND {FLIGHT}"),
        ("checkpoints", "type = 'progresr'", f"sequence = 30 AND {FLIGHT}"),
        ("checkpoints", "updated_at = updated_at + 1", f"sequence = 1 AND {FLIGHT}"),
        (
            "checkpoints",
            "seal = CAST(x'00' || substr(seal, 2) AS BLOB)",
            f"sequence = 30 AND {FLIGHT}",
        ),
        ("workflows", "workflow_id = 'flighs'", "workflow_id = 'flight'"),
        ("events", "epoch = epoch + 1", "number = (SELECT min(number) FROM events)"),
        ("leases", "epoch = epoch + 1", "resource = 'failed'"),
    ],
    ids=str,
)
def test_repair_when_one_byte_of_a_row_is_wrong_then_it_is_as_it_was(
    path: Path, behind: Behind, table: str, change: str, where: str
) -> None:
    before = behind(f"SELECT * FROM {table}")  # noqa: S608
    behind(f"UPDATE {table} SET {change} WHERE {where}")  # noqa: S608

    report = _repair(path)

    assert [each.repair for each in report.findings][:1] == ["one byte was wrong, and is put right"]
    after = behind(f"SELECT * FROM {table}")  # noqa: S608
    assert [each for each in after if each not in before] == [
        each for each in after if each[2] == "repaired"
    ]
    assert all(each in after for each in before)
    assert _quarantined(path)[0]["table"] == table


def test_repair_when_a_checkpoint_is_lost_then_what_stands_on_it_goes_with_it(
    path: Path, behind: Behind
) -> None:
    ((at,),) = behind(
        "SELECT c.sequence FROM keyframes AS k JOIN checkpoints AS c ON c.number = k.number "
        "ORDER BY k.number DESC LIMIT 1"
    )
    behind(f"UPDATE checkpoints SET error = 'other' WHERE sequence = ? AND {FLIGHT}", at + 2)  # noqa: S608

    report = _repair(path)

    kept = _quarantined(path)
    assert {each["columns"]["sequence"] for each in kept} == set(range(at + 2, 102))
    assert f"flight@{at + 2}" in kept[-1]["why"]
    assert report.quarantine is not None
    assert stat.S_IMODE(Path(report.quarantine).stat().st_mode) == 0o600
    with holdfast.open(path) as engine:
        assert str(engine.latest("flight").id) == f"flight@{at + 1}"
        assert engine.context("flight").workflow_state["n"] == at - 1
        events = [each for each in engine.events(limit=10_000) if each.kind.value == "repaired"]
        assert [each.workflow_id for each in events] == ["flight"]
        # No sequence is given out twice.
        assert engine.checkpoint("flight").id.sequence == 102


def test_repair_when_a_damaged_row_has_a_keyframe_then_what_comes_after_stays(
    path: Path, behind: Behind
) -> None:
    ((at,),) = behind(
        "SELECT c.sequence FROM keyframes AS k JOIN checkpoints AS c ON c.number = k.number "
        "ORDER BY k.number DESC LIMIT 1"
    )
    behind(f"UPDATE checkpoints SET error = 'other' WHERE sequence = ? AND {FLIGHT}", at)  # noqa: S608

    _repair(path)

    assert [each["columns"]["sequence"] for each in _quarantined(path)] == [at]
    with holdfast.open(path) as engine:
        assert engine.context("flight").workflow_state["n"] == 99


@pytest.mark.parametrize("change", ["DELETE FROM keyframes", "UPDATE keyframes SET body = x'00'"])
def test_repair_when_keyframes_are_gone_or_damaged_then_they_are_made_anew(
    path: Path, behind: Behind, change: str
) -> None:
    ((before,),) = behind("SELECT count(*) FROM keyframes")
    behind(change)

    _repair(path)

    assert behind("SELECT count(*) FROM keyframes") == [(before,)]
    with holdfast.open(path) as engine:
        assert engine.context("flight").workflow_state["n"] == 99


@pytest.mark.parametrize(
    "change",
    ["status = 'completed', handler = 'other'", "sequence_floor = 77, opening = NULL"],
)
def test_repair_when_a_record_is_wrong_then_it_is_made_of_its_opening(
    path: Path, behind: Behind, change: str
) -> None:
    behind(f"UPDATE workflows SET {change} WHERE workflow_id = 'flight'")  # noqa: S608

    _repair(path)

    with holdfast.open(path) as engine:
        (found,) = [each for each in engine.workflows() if each.workflow_id == "flight"]
    assert (found.status and found.status.value, found.handler) == ("active", "crew")


def test_repair_when_a_lease_is_lost_then_its_epoch_goes_on_above(
    path: Path, behind: Behind
) -> None:
    ((epoch,),) = behind("SELECT epoch FROM leases WHERE resource = 'failed'")
    behind("DELETE FROM leases WHERE resource = 'failed'")

    _repair(path)

    assert behind("SELECT epoch, token FROM leases WHERE resource = 'failed'") == [
        (epoch + 1, None)
    ]


def test_repair_when_pages_are_damaged_then_it_says_how_to_salvage_and_touches_nothing(
    path: Path, behind: Behind
) -> None:
    ((root,),) = behind("SELECT rootpage FROM sqlite_master WHERE name = 'attempts'")
    ((size,),) = behind("PRAGMA page_size")
    content = bytearray(path.read_bytes())
    content[(root - 1) * size : (root - 1) * size + 8] = b"\xff" * 8
    path.write_bytes(content)

    with holdfast.open(path) as engine:
        report = engine.verify(repair=True)
        assert engine.context("flight").workflow_state["n"] == 99

    assert not report.intact
    assert any(".recover" in str(each) for each in report.findings)
    assert path.read_bytes() == bytes(content)


# A few here; a soak turns it up.
@pytest.mark.parametrize("seed", range(12))
def test_repair_when_bytes_were_flipped_anywhere_then_what_is_left_verifies(
    path: Path, filled_file: Path, seed: int
) -> None:
    draw = random.Random(seed)
    content = bytearray(filled_file.read_bytes())
    at = draw.randrange(100, len(content))
    content[at] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    with holdfast.open(filled_file) as engine:
        whole = {str(each.id): (each.state, each.status) for each in engine.list(limit=None)}

    with holdfast.open(path) as engine:
        found = engine.verify()
        report = engine.verify(repair=True)
        below = any(each.kind == "file" for each in report.findings)
        assert below or engine.verify().intact, (at, engine.verify().findings)
        if not below:
            left = {str(each.id): (each.state, each.status) for each in engine.list(limit=None)}
            assert left.items() <= whole.items()
            if found.intact:
                assert left == whole


@pytest.mark.parametrize(
    "name", ["odd name", 'a"; DROP TABLE events; --', "leases (resource); --", "select"]
)
def test_repair_when_a_table_was_added_by_hand_then_its_name_is_no_sql(
    path: Path, behind: Behind, name: str
) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    before = behind("SELECT count(*) FROM events")
    behind(f'CREATE TABLE {quoted} ("what, else" INTEGER, seal BLOB)')
    behind(f"INSERT INTO {quoted} VALUES (7, x'00')")  # noqa: S608

    report = _repair(path)

    assert [each.repair for each in report.findings] == ["moved to the quarantine"]
    assert _quarantined(path)[0]["table"] == name
    ((after,),) = behind("SELECT count(*) FROM events")
    assert after == before[0][0] + 1  # that it was repaired
