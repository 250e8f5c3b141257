"""What a verification and a repair of a SQLite store do beyond single rows."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import holdfast
import pytest
from holdfast.infrastructure.sqlite.compression import decompress
from holdfast.infrastructure.sqlite.condition import has_wal_reset_defect
from holdfast.infrastructure.sqlite.rows import digest, seal_of

Behind = Callable[..., list[Any]]

FLIGHT = "workflow = (SELECT id FROM workflows WHERE workflow_id = 'flight')"
KEYFRAMES = (
    "SELECT k.number, c.sequence FROM keyframes AS k JOIN checkpoints AS c ON c.number = k.number "
    "ORDER BY k.number"
)


def _verified(path: Path) -> Any:
    with holdfast.open(path) as engine:
        return engine.verify()


def _repaired(path: Path) -> Any:
    with holdfast.open(path) as engine:
        report = engine.verify(repair=True)
        assert engine.verify().intact, engine.verify().findings
        return report


def test_verify_when_a_keyframe_was_forged_then_its_chain_tells_and_it_is_made_anew(
    path: Path, behind: Behind
) -> None:
    number, sequence = behind(KEYFRAMES)[0]
    ((base, depth, size, body),) = behind(
        "SELECT base, depth, size, body FROM keyframes WHERE number = ?", number
    )
    wanted = f'"n":{sequence - 2}'.encode()
    text = decompress(body)
    assert wanted in text
    forged = text.replace(wanted, b'"n":"%s"' % (b"x" * (len(wanted) - 6)))
    values = (number, base, depth, size, digest(forged))
    behind(
        "UPDATE keyframes SET body = ?, body_digest = ?, seal = ? WHERE number = ?",
        *(forged, digest(forged), seal_of(values), number),
    )

    (found,) = _verified(path).damaged
    _repaired(path)

    assert (found.kind, found.problem) == ("keyframe", "it is not what its chain adds up to")
    assert found.workflow_id == "flight"
    with holdfast.open(path) as engine:
        assert engine.context(f"flight@{sequence}").workflow_state["n"] == sequence - 2


def test_repair_when_all_of_a_keyframe_s_rows_are_lost_then_those_that_stand_on_it_stay(
    path: Path, behind: Behind
) -> None:
    """A later keyframe may be a difference from it; then it is needed still."""
    (first, at), (second, later), *_ = behind(KEYFRAMES)
    ((base,),) = behind("SELECT base FROM keyframes WHERE number = ?", second)
    assert base in (None, first)
    if base is None:  # small contexts stand for themselves: let this one be a difference
        _let_stand_on(behind, second, first)
    behind(f"UPDATE checkpoints SET error = 'x' WHERE sequence IN (?, ?) AND {FLIGHT}", at, at + 1)  # noqa: S608

    _repaired(path)

    with holdfast.open(path) as engine:
        assert engine.context(f"flight@{later}").workflow_state["n"] == later - 2
        assert engine.context("flight").workflow_state["n"] == 99


def _let_stand_on(behind: Behind, number: int, base: int) -> None:
    from holdfast.infrastructure.sqlite.differences import encode_difference

    bodies = [
        decompress(behind("SELECT body FROM keyframes WHERE number = ?", each)[0][0])
        for each in (base, number)
    ]
    body = encode_difference(*bodies)
    assert body is not None
    values = (number, base, 1, len(bodies[1]), digest(body))
    behind(
        "UPDATE keyframes SET base = ?, depth = 1, size = ?, body_digest = ?, seal = ?, body = ? "
        "WHERE number = ?",
        *(base, len(bodies[1]), digest(body), seal_of(values), body, number),
    )


@pytest.mark.parametrize(
    ("table", "columns"),
    [("purged", (1, 5, 3, 0)), ("purged", (1, 1, 10_000, 0)), ("retention", (1, -1.0, None))],
    ids=["backwards", "beyond what was given out", "days below none"],
)
def test_verify_when_what_is_remembered_cannot_be_true_then_it_is_found_and_moved(
    path: Path, behind: Behind, table: str, columns: tuple[Any, ...]
) -> None:
    places = ", ".join("?" * (len(columns) + 1))
    behind(f"INSERT INTO {table} VALUES ({places})", *columns, seal_of(columns))  # noqa: S608

    (found,) = _verified(path).damaged
    _repaired(path)

    assert found.kind == "record"
    assert found.workflow_id == "done"
    assert behind(f"SELECT * FROM {table}") == []  # noqa: S608


def test_verify_when_the_schema_itself_is_damaged_then_it_is_found(
    path: Path, behind: Behind
) -> None:
    content = path.read_bytes()
    assert content.count(b"correlation_id TEXT") >= 1
    at = content.index(b"renewed_boot_id")
    path.write_bytes(content[:at] + b"sencwed_boot_id" + content[at + 15 :])

    report = _verified(path)

    assert [each.kind for each in report.damaged] == ["file"]
    assert "the schema of the table leases" in report.damaged[0].problem
    assert ".recover" in report.damaged[0].advice


def test_repair_when_a_name_is_encoded_in_ids_then_the_event_is_under_the_name(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.db"
    with holdfast.open(path) as engine:
        for n in range(3):
            engine.checkpoint("a/b@c", state={"n": n})
    with closing(connect(path, isolation_level=None)) as raw:
        raw.execute("UPDATE checkpoints SET error = 'other' WHERE sequence = 2")

    _repaired(path)

    with holdfast.open(path) as engine:
        acts = [each for each in engine.events() if each.kind.value == "repaired"]
    assert [each.workflow_id for each in acts] == ["a/b@c"]


def test_repair_when_there_is_a_log_then_each_act_is_a_line(path: Path, behind: Behind) -> None:
    behind(f"UPDATE checkpoints SET error = 'other' WHERE sequence = 101 AND {FLIGHT}")  # noqa: S608
    log = path.with_name("log.jsonl")

    with holdfast.open(path, log=holdfast.Log(file=str(log))) as engine:
        engine.verify(repair=True)

    lines = [json.loads(each) for each in log.read_text().splitlines()]
    assert [each["workflow_id"] for each in lines if each["event"] == "repaired"] == ["flight"]


def test_in_force_when_an_import_was_killed_then_what_it_left_is_named(path: Path) -> None:
    partial = path.with_name(".holdfast-0123456789ab.partial")
    partial.touch()

    with holdfast.open(path) as engine:
        found = engine.in_force()
        with partial.open():
            assert engine.in_force()["leftovers"] == []

    assert found["leftovers"] == [str(partial)]
    assert any(str(partial) in str(each) for each in found["warnings"])


@pytest.mark.parametrize(
    ("version", "has_it"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
    ids=str,
)
def test_wal_reset_defect_when_asked_for_a_version_then_it_is_as_sqlite_says(
    version: tuple[int, ...], has_it: bool
) -> None:
    assert has_wal_reset_defect(version) is has_it


def test_salvage_when_done_as_a_finding_advises_then_the_rest_is_a_store_again(
    path: Path, behind: Behind
) -> None:
    """Damage to a page of attempts: everything else is there after `.recover` and a repair."""
    if shutil.which("sqlite3") is None:
        pytest.skip("the sqlite3 program is not here")
    whole = subprocess.run(["sqlite3", path, ".recover"], capture_output=True, check=False)
    if whole.returncode:
        pytest.skip(f"this sqlite3 cannot recover even what is whole: {whole.stderr!r}")
    ((root,),) = behind("SELECT rootpage FROM sqlite_master WHERE name = 'attempts'")
    ((size,),) = behind("PRAGMA page_size")
    content = bytearray(path.read_bytes())
    content[(root - 1) * size : (root - 1) * size + 8] = b"\xff" * 8
    path.write_bytes(content)
    assert any("| sqlite3 NEW" in each.advice for each in _verified(path).damaged)

    new = path.with_name("new.db")
    recovered = subprocess.run(["sqlite3", path, ".recover"], capture_output=True, check=False)
    subprocess.run(["sqlite3", new], input=recovered.stdout, capture_output=True, check=False)
    _repaired(new)

    with holdfast.open(new) as engine:
        assert engine.context("flight").workflow_state["n"] == 99
        assert engine.list(limit=None)[0].id.sequence == 5
