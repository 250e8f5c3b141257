"""`engine.verify`: what is damaged is found, by id, with what depends on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import holdfast
import pytest

Behind = Callable[..., list[Any]]

DAMAGES = [
    ("checkpoints", "retry_count = retry_count + 1", "sequence = 30"),
    ("checkpoints", "body = CAST('{}' AS BLOB)", "sequence = 30"),
    ("checkpoints", "metadata = '{\"a\": 1}'", "sequence = 30"),
    ("checkpoints", "type = CAST(x'80' AS TEXT)", "sequence = 30"),
    ("workflows", "status = 'completed'", "workflow_id = 'flight'"),
    ("workflows", "sequence_floor = 0, branched = 1", "workflow_id = 'flight'"),
    ("keyframes", "body = CAST('{}' AS BLOB)", "number = (SELECT min(number) FROM keyframes)"),
    ("keyframes", "depth = 7", "number = (SELECT min(number) FROM keyframes)"),
    ("leases", "epoch = 0", "resource = 'failed'"),
    ("attempts", "outcome = 'completed'", "workflow_id = 'failed'"),
    ("events", "kind = 'killed'", "number = (SELECT min(number) FROM events)"),
]


def test_verify_when_nothing_is_damaged_then_it_says_how_much_it_looked_at(path: Path) -> None:
    with holdfast.open(path) as engine:
        report = engine.verify()
        stored = engine.stats()

    assert report.intact, report.findings
    assert report.checked["checkpoints"] == stored.checkpoints > 100
    assert report.checked["keyframes"] >= 2
    assert report.checked["workflows"] == 4
    assert report.checked["events"] and report.checked["attempts"] and report.checked["leases"]


@pytest.mark.parametrize(("table", "change", "where"), DAMAGES, ids=str)
def test_verify_when_a_row_was_changed_then_it_is_found(
    path: Path, behind: Behind, table: str, change: str, where: str
) -> None:
    behind(f"UPDATE {table} SET {change} WHERE {where}")  # noqa: S608

    with holdfast.open(path) as engine:
        report = engine.verify()

    assert [each.kind for each in report.damaged] == [table.removesuffix("s")]


def test_verify_when_a_checkpoint_is_damaged_then_it_names_what_depends_on_it(
    path: Path, behind: Behind
) -> None:
    ((keyframe,),) = behind(
        "SELECT c.sequence FROM keyframes AS k JOIN checkpoints AS c ON c.number = k.number "
        "ORDER BY k.number DESC LIMIT 1"
    )
    behind(
        "UPDATE checkpoints SET error = 'x' WHERE sequence = ? AND workflow = "
        "(SELECT id FROM workflows WHERE workflow_id = 'flight')",
        keyframe + 2,
    )

    with holdfast.open(path) as engine:
        (found,) = engine.verify().findings

    assert found.subject == f"flight@{keyframe + 2}"
    assert found.needed_by[0] == f"flight@{keyframe + 3}"
    assert f"flight@{keyframe + 3}" in str(found)
    assert found.dependents == 101 - (keyframe + 2)


def test_verify_when_a_link_was_forged_with_its_seal_then_it_is_found(
    path: Path, behind: Behind
) -> None:
    from holdfast.infrastructure.sqlite.rows import seal_of
    from holdfast.infrastructure.sqlite.statements import CHECKPOINT_COLUMNS

    (row,) = behind(f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoints WHERE sequence = 30")  # noqa: S608
    forged = [*row[:-2], b"\0" * 16]
    behind(
        "UPDATE checkpoints SET link = ?, seal = ? WHERE sequence = 30", forged[-1], seal_of(forged)
    )

    with holdfast.open(path) as engine:
        problems = [each.problem for each in engine.verify().findings]

    assert problems and all("link" in each for each in problems)


def test_verify_when_a_row_is_replaced_by_one_that_is_whole_in_itself_then_its_child_tells(
    path: Path, behind: Behind
) -> None:
    from holdfast.infrastructure.sqlite.rows import CheckpointRow, link_of, seal_of
    from holdfast.infrastructure.sqlite.statements import CHECKPOINT_COLUMNS

    rows = {
        each[2]: CheckpointRow._make(each)
        for each in behind(
            f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoints WHERE workflow = "  # noqa: S608
            "(SELECT id FROM workflows WHERE workflow_id = 'flight') AND sequence IN (29, 30)"
        )
    }
    other = rows[30]._replace(name="another history")
    other = other._replace(link=link_of(rows[29].link, "flight", other))
    behind(
        "UPDATE checkpoints SET name = ?, link = ?, seal = ? WHERE number = ?",
        other.name,
        other.link,
        seal_of(other[:-1]),
        other.number,
    )

    with holdfast.open(path) as engine:
        found = {each.subject: each.problem for each in engine.verify().findings}

    assert found["flight@31"] == "its link does not fit its parent's"
    assert "flight@30" not in found


def test_verify_when_an_ancestor_is_gone_then_the_first_that_needs_it_is_named(
    path: Path, behind: Behind
) -> None:
    behind(
        "DELETE FROM checkpoints WHERE sequence = 3 AND workflow = "
        "(SELECT id FROM workflows WHERE workflow_id = 'record')"
    )

    with holdfast.open(path) as engine:
        (found,) = engine.verify().findings

    assert found.subject == "record@4"
    assert found.needed_by == ("record@5",)


def test_verify_when_a_workflow_in_flight_has_no_way_on_then_it_says_so(
    path: Path, behind: Behind
) -> None:
    behind("DELETE FROM keyframes")
    behind(
        "UPDATE checkpoints SET name = 'x' WHERE sequence = 1 AND workflow = "
        "(SELECT id FROM workflows WHERE workflow_id = 'flight')"
    )

    with holdfast.open(path) as engine:
        found = [each for each in engine.verify().findings if each.kind == "workflow"]

    assert any("nothing intact is left" in each.problem for each in found)


def test_verify_when_an_index_does_not_fit_its_table_then_it_is_found(
    path: Path, behind: Behind
) -> None:
    behind("CREATE TABLE other (a)")
    behind("DROP TABLE other")
    _spoil_index(path, behind)

    with holdfast.open(path) as engine:
        kinds = {each.kind for each in engine.verify().findings}

    assert kinds & {"index", "file"}


async def _verify(path: Path) -> Any:
    async with holdfast.open_async(path) as engine:
        return await engine.verify(), await engine.stats()


def test_verify_when_awaited_then_it_is_the_same(path: Path) -> None:
    import asyncio

    report, stats = asyncio.run(_verify(path))

    assert report.intact
    assert stats.workflows == 4


def test_verify_when_in_memory_then_all_is_counted() -> None:
    with holdfast.open("memory:") as engine:
        engine.checkpoint("wf")
        assert engine.verify().checked["checkpoints"] == 1
        assert engine.stats().statuses == {"record": 1}


def _spoil_index(path: Path, behind: Behind) -> None:
    """Overwrite a name in an index's page, in the closed file: the table has the other still."""
    ((root,),) = behind("SELECT rootpage FROM sqlite_master WHERE name = 'events_by_workflow'")
    ((size,),) = behind("PRAGMA page_size")
    content = bytearray(path.read_bytes())
    at = content.index(b"failed", (root - 1) * size)
    assert at < root * size
    content[at : at + 6] = b"fbiled"
    path.write_bytes(content)
