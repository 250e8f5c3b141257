"""`verify`, `backup`, `stats` and `in_force` of a store of JSON files."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import holdfast
import pytest
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.json_files import documents
from holdfast.infrastructure.json_files.store import JsonFileStore

from .asking import answers

Spoil = Callable[[str], Path]

FLIGHT = "workflows/*/flight"
LATE = f"{FLIGHT}/@*/@000000000084.*"


def _verified(folder: Path) -> Any:
    with holdfast.open(f"json:{folder}") as engine:
        return engine.verify()


def _repaired(folder: Path) -> Any:
    with holdfast.open(f"json:{folder}") as engine:
        report = engine.verify(repair=True)
        assert engine.verify().intact, engine.verify().findings
        return report


def _notes(report: Any) -> dict[str, str]:
    lines = (Path(report.quarantine) / "notes.jsonl").read_text().splitlines()
    return {each["file"]: each["why"] for each in map(json.loads, lines)}


def test_verify_when_nothing_is_damaged_then_it_counts_and_changes_nothing(folder: Path) -> None:
    before = _bytes_in(folder)

    report = _verified(folder)
    repaired = _repaired(folder)

    assert report.intact and not report.findings
    assert report.checked["checkpoints"] == 124
    assert report.checked["workflows"] == 4
    assert {"events", "attempts", "leases", "keyframes"} <= report.checked.keys()
    assert repaired.quarantine is None
    assert _bytes_in(folder) == before


@pytest.mark.parametrize(
    ("pattern", "kind", "subject"),
    [
        (LATE, "checkpoint", "flight@84"),
        (f"{FLIGHT}/contexts/*/@000000000064.json", "keyframe", "of flight@64"),
        (f"{FLIGHT}/latest.json", "index", "latest.json"),
        ("workflows/*/failed/attempts/*/*1.json", "attempt", "1 of failed"),
        ("leases/*/failed.json", "lease", "failed"),
        ("index/unfinished/*.json", "index", "index/unfinished"),
        ("index/failures.json", "index", "index/failures.json"),
    ],
)
def test_verify_when_a_file_is_damaged_then_it_is_found_and_repaired(
    folder: Path, spoil: Spoil, pattern: str, kind: str, subject: str
) -> None:
    path = spoil(next(str(each.relative_to(folder)) for each in sorted(folder.glob(pattern))))
    damaged = path.read_bytes()

    (found,) = _verified(folder).damaged
    report = _repaired(folder)

    assert found.kind == kind
    assert subject in found.subject
    assert "--repair" in str(found)
    kept = Path(report.quarantine) / path.relative_to(folder)
    assert kept.read_bytes() == damaged
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert subject in _notes(report)[str(path.relative_to(folder))]
    with holdfast.open(f"json:{folder}") as engine:
        acts = [each for each in engine.events(limit=10_000) if each.kind.value == "repaired"]
    assert len(acts) == len([each for each in report.findings if each.repair])
    if kind != "index" or "latest" in subject:
        assert acts[0].workflow_id in ("flight", "failed")


def test_repair_when_a_checkpoint_is_lost_then_what_stands_for_itself_stays(
    folder: Path, spoil: Spoil
) -> None:
    spoil(LATE)

    report = _repaired(folder)

    # A context is kept at 96: from there on nothing before it is needed.
    gone = {int(Path(each).name[1:13]) for each in _notes(report) if "/flight/@" in each}
    assert gone == set(range(84, 96))
    shutil.rmtree(next(folder.glob(f"{FLIGHT}/contexts")))  # it does not hang on what can be lost
    with holdfast.open(f"json:{folder}") as engine:
        assert engine.context("flight").workflow_state["n"] == 99
        assert engine.context("flight@83").workflow_state["n"] == 81
        assert [each.sequence for each in engine.context("flight").chain] == [*range(101, 95, -1)]
        assert engine.checkpoint("flight").id.sequence == 102
        assert engine.verify().intact


def test_repair_when_the_head_is_lost_then_its_sequence_is_not_given_again(
    folder: Path, spoil: Spoil
) -> None:
    spoil(f"{FLIGHT}/@*/@000000000101.*")
    spoil(f"{FLIGHT}/latest.json")

    _repaired(folder)

    with holdfast.open(f"json:{folder}") as engine:
        assert str(engine.latest("flight").id) == "flight@100"
        assert engine.checkpoint("flight").id.sequence == 102


def test_repair_when_the_newest_numbers_are_lost_then_numbers_do_not_go_back(
    folder: Path, spoil: Spoil
) -> None:
    with holdfast.open(f"json:{folder}") as engine:
        last = engine.events(limit=10_000)[-1].number
    spoil("workflows/*/record/@*/@000000000005.*")

    _repaired(folder)

    with holdfast.open(f"json:{folder}") as engine:
        numbers = [each.number for each in engine.events(limit=10_000)]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] > last
        engine.checkpoint("record")
        assert engine.events(limit=10_000)[-1].number == numbers[-1] + 1


def test_repair_when_a_lease_is_damaged_then_its_epoch_goes_on_above(
    folder: Path, spoil: Spoil
) -> None:
    path = next(folder.glob("leases/*/failed.json"))
    epoch = json.loads(path.read_text())["epoch"]
    spoil("leases/*/failed.json")

    _repaired(folder)

    found = json.loads(path.read_text())
    assert found["epoch"] > epoch
    assert found["token"] is None


@pytest.mark.parametrize("change", [{"epoch": 0}, None], ids=["set back", "gone"])
def test_verify_when_a_lease_is_older_than_what_was_given_out_then_it_is_found(
    folder: Path, change: dict[str, Any] | None
) -> None:
    path = next(folder.glob("leases/*/failed.json"))
    lease = documents.decode(path.read_bytes(), "lease", path)
    path.unlink() if change is None else path.write_bytes(
        documents.encode("lease", {**lease, **change})
    )

    (found,) = _verified(folder).damaged
    _repaired(folder)

    assert (found.kind, found.subject) == ("lease", "failed")
    assert json.loads(path.read_text())["epoch"] > lease["epoch"]


def test_verify_when_a_file_is_gone_then_it_is_named_and_the_store_goes_on(folder: Path) -> None:
    next(folder.glob(LATE)).unlink()

    report = _verified(folder)
    repaired = _repaired(folder)

    assert any("flight@84" in each.subject and "missing" in each.problem for each in report.damaged)
    assert any("flight@85: its parent" in str(each) for each in report.damaged)
    assert {Path(each).name[1:13] for each in _notes(repaired)} == {
        f"{n:012d}" for n in range(85, 96)
    }


@pytest.mark.parametrize("name", ["latest", "list"])
def test_verify_when_what_is_redundant_is_old_then_it_is_found_and_made_anew(
    folder: Path, name: str
) -> None:
    """As when some files come from a copy or a version control system, and others do not."""
    if name == "latest":
        path = next(folder.glob(f"{FLIGHT}/latest.json"))
        with holdfast.open(f"json:{folder}") as engine:
            old = path.read_bytes()
            engine.checkpoint("flight", state={"n": 1000})
    else:
        bucket = next(folder.glob(FLIGHT)).parent.name
        path = folder / "index" / "unfinished" / f"{bucket}.json"
        old = documents.encode("unfinished", {"workflows": []})
    path.write_bytes(old)

    (found,) = _verified(folder).damaged
    _repaired(folder)

    assert found.kind == "index"
    assert "does not say what the checkpoints say" in found.problem
    with holdfast.open(f"json:{folder}") as engine:
        assert engine.latest("flight").id.sequence == (102 if name == "latest" else 101)
        assert "flight" in [each.workflow_id for each in engine.stale(timedelta())]


def test_verify_when_a_kept_context_is_another_than_its_chain_adds_up_to_then_it_is_found(
    folder: Path,
) -> None:
    path = next(folder.glob(f"{FLIGHT}/contexts/*/@000000000064.json"))
    kept = documents.decode(path.read_bytes(), "context", path)
    kept["scopes"][0]["state"]["n"] = True
    path.write_bytes(documents.encode("context", kept))

    (found,) = _verified(folder).damaged
    _repaired(folder)

    assert (found.kind, found.problem) == ("keyframe", "it is not what its chain adds up to")
    assert documents.decode(path.read_bytes(), "context", path)["scopes"][0]["state"]["n"] == 62


def test_verify_when_the_index_says_something_else_then_it_is_found(folder: Path) -> None:
    from holdfast.infrastructure.json_files.index import Entry, _lines

    path = folder / "index" / "latest.log"
    lines = path.read_bytes().splitlines(keepends=True)
    changed = _lines([Entry(int(lines[-1].split()[1]), "created", "record@4")])
    path.write_bytes(b"".join([*lines[:-1], changed]))

    found = _verified(folder).damaged
    _repaired(folder)

    assert [each.kind for each in found] == ["index"]


def _with_digest(text: bytes) -> bytes:
    return sha256(text).hexdigest().encode() + b"\n" + text


@pytest.mark.parametrize(
    "content",
    [
        b"0" * 64 + b"\n[]",
        *map(
            _with_digest,
            [
                b"nonsense",
                b'{"a": 1}',
                b'[["put"]]',
                b'[["frob", "x", "y"]]',
                b'[["put", "", "y"]]',
                b'[["put", "x\\u0000", "y"]]',
                b'[["append", "x", "y", -1]]',
                b'[["append", "x", "y", "1"]]',
            ],
        ),
    ],
)
def test_repair_when_the_journal_is_damaged_then_the_store_goes_on_without_it(
    folder: Path, content: bytes
) -> None:
    journal = folder / "journal"
    journal.mkdir(exist_ok=True)
    (journal / "commit.json").write_bytes(content)

    with holdfast.open(f"json:{folder}") as engine:
        with pytest.raises(holdfast.CheckpointCorrupted, match="doctor --repair"):
            engine.checkpoint("flight")
        (found,) = engine.verify().damaged
        assert any("doctor --repair" in str(each) for each in engine.in_force()["warnings"])
        report = engine.verify(repair=True)
        assert engine.verify().intact
        engine.checkpoint("flight")

    assert found.subject == "journal/commit.json"
    assert (Path(report.quarantine or "") / "journal" / "commit.json").exists()


def test_verify_when_files_are_left_over_then_they_are_listed_and_a_repair_moves_them(
    folder: Path,
) -> None:
    workflow = next(folder.glob(FLIGHT))
    twin = next(workflow.glob("@*/@000000000005.*"))
    strays = [
        workflow / "@000000000xxx" / "@000000000101.progress.json.tmp",
        twin.with_name(f"{twin.name}.gz"),
        folder / "index" / "old.txt",
        folder / "journal" / "commit.json.tmp",
        workflow / "contexts" / "@000000000xxx" / "@000000000999.json",
    ]
    (folder / "journal").mkdir(exist_ok=True)
    for each in strays:
        each.write_text("{}")
    mine = [folder / ".git" / "HEAD", folder / "README.md", workflow / ".DS_Store"]
    mine[0].parent.mkdir()
    for each in mine:
        each.write_text("mine")

    report = _verified(folder)
    repaired = _repaired(folder)

    wanted = {str(each.relative_to(folder)) for each in strays}
    assert report.intact
    assert {each.subject for each in report.leftovers} == wanted
    assert not any(each.exists() for each in strays)
    assert wanted <= _notes(repaired).keys()
    assert [each.read_text() for each in mine] == ["mine"] * 3


def test_verify_when_two_histories_were_mixed_then_the_link_tells(
    folder: Path, tmp_path: Path
) -> None:
    with holdfast.open(f"json:{tmp_path / 'other'}") as engine:
        for n in range(3):
            engine.checkpoint("record", state={"n": n, "other": True})
    for other in (tmp_path / "other").glob("workflows/*/record/@*/@000000000002.*"):
        shutil.copy(other, next(folder.glob("workflows/*/record/@*/@000000000002.*")))

    report = _verified(folder)

    assert any("link" in each.problem for each in report.damaged)


def test_repair_when_it_is_killed_anywhere_then_nothing_is_lost_and_the_next_one_ends_it(
    folder: Path, spoil: Spoil, shm: Path
) -> None:
    damaged = spoil(LATE).read_bytes()
    copy = shm / "killed"
    step = 0
    while True:
        shutil.copytree(folder, copy)

        store = JsonFileStore.open(copy, JsonCodec())
        store.files.hook = _killing_after(step)
        try:
            store.verify(repair=True, at=datetime(2026, 3, 1, tzinfo=UTC))
        except Killed:
            pass
        else:
            break
        assert any(each.read_bytes() == damaged for each in copy.rglob("@000000000084.*")), step
        if step % 4 == 0:
            _repaired(copy)
            assert any(each.read_bytes() == damaged for each in copy.glob("quarantine/**/@*84.*"))
        shutil.rmtree(copy)
        step += 11
    shutil.rmtree(copy)
    assert step > 20


def test_backup_when_made_then_it_opens_and_tells_the_same(folder: Path, shm: Path) -> None:
    (folder / "quarantine").mkdir()
    (folder / ".git").mkdir()
    copy = shm / "backup"
    with holdfast.open(f"json:{folder}") as engine:
        good = answers(engine)
        engine.backup(copy)
        with pytest.raises(holdfast.TargetExists):
            engine.backup(copy)
    try:
        assert not {"quarantine", ".git", "lock", "journal"} & {
            each.name for each in copy.iterdir()
        }
        with holdfast.open(f"json:{copy}") as engine:
            assert answers(engine) == good
            assert engine.verify().intact
            engine.checkpoint("flight")
        assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(copy)


def test_backup_when_it_cannot_be_written_then_nothing_is_there(folder: Path, shm: Path) -> None:
    with (
        holdfast.open(f"json:{folder}") as engine,
        pytest.raises(holdfast.StorageUnavailable, match="cannot be written"),
    ):
        engine.backup(shm / "no" / "copy")
    assert not (shm / "no").exists()


def test_stats_when_asked_then_they_are_those_of_the_files(folder: Path) -> None:
    with holdfast.open(f"json:{folder}") as engine:
        found = engine.stats()
        assert found.events == len(engine.events(limit=10_000))

    assert found.workflows == 4
    assert found.statuses == {"active": 1, "completed": 1, "failed": 1, "record": 1}
    assert (found.checkpoints, found.attempts) == (124, 2)
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert found.size == sum(
        each.stat().st_size for each in files if each.name not in ("lock", "holdfast.json")
    )


def test_in_force_when_asked_then_it_says_what_was_found(folder: Path) -> None:
    folder.chmod(0o755)
    partial = folder.parent / ".holdfast-abc.partial"
    partial.touch()

    with holdfast.open(f"json:{folder}", durability="process") as engine:
        found = engine.in_force()

    assert found["durability"] == "power"
    assert found["locks_are_honoured"] is True
    assert str(found["lock"]).startswith("filelock ")
    assert found["path"] == str(folder)
    warnings = found["warnings"]
    assert isinstance(warnings, list)
    assert any("chmod 700" in str(each) for each in warnings)
    assert any(str(partial) in str(each) for each in warnings)


def test_in_force_when_locks_are_not_honoured_then_it_warns(tmp_path: Path) -> None:
    from holdfast.infrastructure.json_files.condition import condition_of

    found = condition_of(tmp_path, honours_locks=False, is_stuck=False)

    assert any("has no locks that work" in each for each in found["warnings"])


class Killed(BaseException):
    """Stands for the end of a process."""


def _killing_after(steps: int) -> Callable[[str, Path], None]:
    left = steps

    def hook(operation: str, _path: Path) -> None:
        nonlocal left
        left -= operation not in ("read", "list")
        if left < 0:
            raise Killed

    return hook


def _bytes_in(folder: Path) -> dict[str, bytes]:
    files = (each for each in folder.rglob("*") if each.is_file() and each.name != "lock")
    return {str(each.relative_to(folder)): each.read_bytes() for each in files}
