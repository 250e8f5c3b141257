"""Files damaged behind the store's back: never returned as good, and in nobody else's way."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import holdfast
import pytest
from holdfast.domain.attempt import Attempt
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.errors import CheckpointCorrupted, Damaged, SchemaTooNew
from holdfast.domain.events import DomainEvent, EventKind
from holdfast.domain.lease import Lease, Owner
from holdfast.domain.moment import Moment
from holdfast.domain.ports import Store, UnitOfWork
from holdfast.domain.scope import Scope
from holdfast.infrastructure.json_files import documents
from holdfast.infrastructure.json_files.store import JsonFileStore

OpenStore = Callable[..., JsonFileStore]
Save = Callable[..., Checkpoint]

AT = datetime(2026, 3, 1, tzinfo=UTC)
OWNER = Owner("host", "boot", "pid:[1]", 7, 8)
LEASE = Lease("wf", 1, "token", OWNER, 60.0, AT, Moment(AT, "boot", 1))
SOURCES = ("workflows/*/*/@*xxx/**/*.json*", "leases/*/*.json", "workflows/*/*/attempts/*/*.json")


@pytest.fixture
def filled(folder: Path, open_store: OpenStore, save: Save, put: Save) -> Path:
    store = open_store(folder)
    save(store, "wf", "workflow_start", state={"n": 0, "text": "naïve"}, resume_handler="h")
    store.write(lambda uow: [put(uow, "wf/s/a", patch={str(n): n}) for n in range(40)])
    save(store, "wf/s", state={"long": ["abcdefghij"] * 12_000})
    save(store, "other/s", "stage_start", input={"x": [1.5, -0.0]}, metadata={"k": "v"})
    save(store, "other", "error_state")
    store.write(lambda uow: uow.leases.put(LEASE))
    store.write(lambda uow: uow.attempts.put(Attempt("wf", 1, 1, "h", OWNER, "c", AT, 1)))
    store.write(lambda uow: uow.events.append(DomainEvent(EventKind.RESUMED, "wf", AT)))
    store.close()
    return folder


def _calls() -> dict[str, Callable[[UnitOfWork], Any]]:
    """Return reading calls by name, each of which tells something that can be compared."""
    calls: dict[str, Callable[[UnitOfWork], Any]] = {
        "lease": lambda uow: uow.leases.get("wf"),
        "attempts": lambda uow: uow.attempts.all("wf"),
        "events": lambda uow: uow.events.read(),
        "summaries": lambda uow: list(uow.checkpoints.summaries()),
        "unfinished": lambda uow: [
            (str(each.id), each.status) for each in uow.checkpoints.unfinished("other")
        ],
        "standing": lambda uow: uow.checkpoints.standing("wf"),
        "all": lambda uow: [str(each) for each in uow.checkpoints.workflow_ids(9)],
    }
    names = ["wf@1", *(f"wf/s/a@{n}" for n in range(2, 42)), "wf/s@42", "other/s@1", "other@2"]
    for name in names:
        each = CheckpointId.parse(name)
        calls[f"get {name}"] = lambda uow, i=each: _plain(uow.checkpoints.get(i))  # type: ignore[misc]
        calls[f"payload {name}"] = lambda uow, i=each: uow.checkpoints.payload(i)  # type: ignore[misc]
        calls[f"context {name}"] = lambda uow, i=each: _context(uow, i)  # type: ignore[misc]
    return calls


def _plain(each: Checkpoint) -> tuple[Any, ...]:
    return (each.type, each.status, each.parent_id, each.created_at, each.name, dict(each.metadata))


def _context(uow: UnitOfWork, checkpoint_id: CheckpointId) -> Any:
    replay = uow.checkpoints.replay(checkpoint_id)
    return {str(scope): (each.state, each.is_open) for scope, each in replay.scopes.items()}


def _answers(store: Store) -> dict[str, Any]:
    """Return what each call tells; a `Damaged` where it says that it cannot."""
    found: dict[str, Any] = {}

    def ask(uow: UnitOfWork) -> None:
        for name, call in _calls().items():
            try:
                found[name] = call(uow)
            except Damaged as error:
                found[name] = error

    store.read(ask)
    return found


@pytest.mark.parametrize("rounds", [30, pytest.param(1000, marks=pytest.mark.deep)])
def test_reading_when_bytes_are_flipped_or_cut_then_nothing_damaged_is_returned_as_good(
    filled: Path, room: Path, open_store: OpenStore, rounds: int
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    draw = random.Random(seed)
    good = _answers(open_store(filled))
    assert not any(isinstance(each, Exception) for each in good.values())
    told = 0

    for _ in range(rounds):
        copy = room / "damaged"
        shutil.copytree(filled, copy)
        files = [each for each in copy.rglob("*") if each.is_file() and each.stat().st_size]
        victim = draw.choice([each for each in files if each.name != "holdfast.json"])
        hint = f"seed {seed}: {victim.relative_to(copy)}"
        _damage(victim, draw)
        store = JsonFileStore.open(copy, open_store(filled).codec)
        found = _answers(store)
        store.close()
        for name, answer in found.items():
            assert isinstance(answer, Damaged) or answer == good[name], (hint, name)
        told += any(isinstance(each, Damaged) for each in found.values())
        _require_undamaged_is_readable(victim.relative_to(copy), found, hint)
        shutil.rmtree(copy)

    assert told > rounds / 4


def _require_undamaged_is_readable(victim: Path, found: dict[str, Any], hint: str) -> None:
    """Of one damaged file, no other checkpoint must suffer by itself; contexts may build on it."""
    number = victim.name.partition(".")[0]
    for name, answer in found.items():
        what, _, subject = name.partition(" ")
        if what in ("get", "payload") and isinstance(answer, Damaged):
            assert CheckpointId.parse(subject).path.name == number, (hint, name)
    if victim.parts[0] in ("index", "lock"):
        assert not any(isinstance(each, Damaged) for each in found.values()), hint


def _damage(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    at = draw.randrange(len(content))
    if draw.random() < 0.2:
        del content[at:]
    else:
        content[at] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


@pytest.mark.parametrize("damaged", [2, 17, 41, 42])
def test_newest_intact_when_one_is_damaged_then_it_is_the_one_before_that(
    filled: Path, open_store: OpenStore, damaged: int
) -> None:
    store = open_store(filled)
    _spoil(filled, damaged)
    shutil.rmtree(filled / "index")
    for context in filled.glob("workflows/*/*/contexts"):
        shutil.rmtree(context)
    head = CheckpointId("wf", "s", None, 42)

    with pytest.raises(CheckpointCorrupted):
        store.read(lambda uow: uow.checkpoints.replay(head))
    found = store.read(lambda uow: uow.checkpoints.newest_intact(head))

    assert found is not None
    assert found.sequence == damaged - 1
    assert store.read(lambda uow: uow.checkpoints.replay(found)).head == found


def test_newest_intact_when_workflow_branched_then_it_is_the_parent_and_not_the_one_before(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    store = open_store(folder)
    root = save(store, state={"n": 1})
    save(store, state={"n": 2})
    save(store, parent=root.id, state={"n": 3})
    head = save(store, patch={"m": 4})
    _spoil(folder, 3)

    assert store.read(lambda uow: uow.checkpoints.newest_intact(head.id)) == root.id


@pytest.mark.parametrize("with_pointer", [True, False])
def test_standing_when_the_head_is_damaged_then_it_is_not_passed_over(
    folder: Path, open_store: OpenStore, save: Save, with_pointer: bool
) -> None:
    store = open_store(folder)
    save(store)
    head = save(store)
    _spoil(folder, 2)
    if not with_pointer:
        next(folder.glob("workflows/*/*/latest.json")).unlink()

    standing = store.read(lambda uow: uow.checkpoints.standing("wf"))

    assert standing is not None
    assert standing.head == head.id
    with pytest.raises(CheckpointCorrupted, match="wf@2"):
        store.read(lambda uow: uow.checkpoints.get(head.id))


def test_recover_when_the_head_is_damaged_then_it_falls_back_loudly_and_goes_on(
    folder: Path,
) -> None:
    app = holdfast.Registry()

    @app.handler("h")
    def carry_on(run: holdfast.Run) -> Any:
        return run.state

    with holdfast.open(f"json:{folder}", registry=app) as engine:
        engine.checkpoint("wf", type="workflow_start", resume_handler="h", state={"n": 1})
        head = engine.checkpoint("wf", state={"n": 2})
        _spoil(folder, 2)

        result = engine.recover("wf")

        assert result.success
        assert (result.fell_back_from, result.output) == (head.id, {"n": 1})
        assert "fell_back" in [each.kind for each in engine.events(after=2)]


def test_replay_when_an_ancestor_was_replaced_by_an_older_version_then_it_is_found(
    filled: Path, room: Path, open_store: OpenStore, save: Save
) -> None:
    other = open_store(room / "other")
    save(other, "wf", "workflow_start", state={"n": "of another store"})
    (old,) = (room / "other").glob("workflows/*/wf/@*xxx/@*.json")
    (mine,) = filled.glob("workflows/*/wf/@*xxx/@000000000001.*")
    shutil.copy(old, mine)
    for context in filled.glob("workflows/*/*/contexts"):
        shutil.rmtree(context)

    with pytest.raises(CheckpointCorrupted, match="not tied to the parent"):
        open_store(filled).read(lambda uow: uow.checkpoints.replay(CheckpointId("wf", "s", "a", 2)))


def test_get_when_a_file_bears_the_name_of_another_then_it_is_not_returned(
    filled: Path, open_store: OpenStore
) -> None:
    (one,) = filled.glob("workflows/*/wf/@*xxx/s/a/@000000000005.*")
    (other,) = filled.glob("workflows/*/wf/@*xxx/s/a/@000000000006.*")
    shutil.copy(one, other)

    with pytest.raises(CheckpointCorrupted, match="wf/s/a@5"):
        open_store(filled).read(lambda uow: uow.checkpoints.get(CheckpointId("wf", "s", "a", 6)))


def test_get_when_line_ends_and_spaces_were_changed_then_it_is_the_same(
    filled: Path, open_store: OpenStore
) -> None:
    for path in filled.rglob("*.json"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    (one,) = filled.glob("workflows/*/wf/@*xxx/@000000000001.*")
    one.write_text(json.dumps(json.loads(one.read_text()), indent=8))

    replay = open_store(filled).read(
        lambda uow: uow.checkpoints.replay(CheckpointId("wf", "s", "a", 41))
    )

    assert replay.record(Scope("wf")).state == {"n": 0, "text": "naïve"}


def test_get_when_a_file_is_of_a_newer_schema_then_it_is_refused_with_both(
    filled: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = filled.glob("workflows/*/wf/@*xxx/@000000000001.*")
    found = documents.decode(one.read_bytes(), "checkpoint", one)
    with monkeypatch.context() as newer:
        newer.setattr(documents, "SCHEMA", 7)
        one.write_bytes(documents.encode("checkpoint", found))

    with pytest.raises(SchemaTooNew) as refused:
        open_store(filled).read(lambda uow: uow.checkpoints.get(CheckpointId("wf", None, None, 1)))

    assert (refused.value.found, refused.value.supported) == (7, 1)


def test_get_when_a_file_is_of_an_older_schema_then_it_is_brought_up_to_date(
    filled: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename_title(found: documents.Document) -> documents.Document:
        return {**found, "name": f"upgraded {found['id']}"} if "type" in found else found

    store = open_store(filled)
    monkeypatch.setattr(documents, "SCHEMA", 2)
    monkeypatch.setitem(documents.UPGRADES, 1, rename_title)

    found = store.read(lambda uow: uow.checkpoints.get(CheckpointId("wf", None, None, 1)))

    assert found.name == "upgraded wf@1"


def test_file_when_large_then_it_is_compressed_and_equal_content_is_equal_bytes(
    room: Path, open_store: OpenStore, save: Save
) -> None:
    texts = []
    for name in ("one", "two"):
        save(open_store(room / name), state={"long": ["abcdefghij"] * 12_000})
        (path,) = (room / name).glob("workflows/*/wf/@*xxx/*.json.gz")
        texts.append(path.read_bytes())

    assert texts[0] == texts[1]
    assert len(texts[0]) < 10_000
    assert json.loads(gzip.decompress(texts[0]))["payload"]["state"]["long"][0] == "abcdefghij"


def test_update_when_a_file_is_no_longer_large_then_there_is_one_of_it(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    from holdfast.domain.error_record import ErrorRecord

    store = open_store(folder)
    saved = save(store, "wf", "workflow_start", state={"long": "x" * 90_000})
    for size in (15_000, 1):
        saved.error = ErrorRecord("E", "m", "t" * size)
        store.write(lambda uow: uow.checkpoints.update(saved))
        found = store.read(lambda uow: uow.checkpoints.get(saved.id))
        assert found.error == saved.error
        (path,) = folder.glob("workflows/*/wf/@*xxx/*")
        assert path.name.endswith(".gz") == (size > 1)


def _spoil(folder: Path, sequence: int) -> None:
    (path,) = folder.glob(f"workflows/*/wf/@*xxx/**/@{sequence:012d}.*")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


_CHECKPOINT = "workflows/*/other/@*/s/@*1.stage_start.json"
_EVENTS = "workflows/*/wf/events/*/*/*.json"
_ATTEMPT = "workflows/*/wf/attempts/*/*.json"


@pytest.mark.parametrize(
    ("pattern", "key", "wrong", "call"),
    [
        (_CHECKPOINT, "metadata", 1.5, "get other/s@1"),
        (_CHECKPOINT, "metadata", None, "get other/s@1"),
        (_CHECKPOINT, "payload", [], "payload other/s@1"),
        (_CHECKPOINT, "payload", {"state": [1]}, "context other/s@1"),
        (_CHECKPOINT, "created_at", "2026-01-01T00:00:00", "get other/s@1"),
        (_CHECKPOINT, "number", "1", "get other/s@1"),
        (_EVENTS, "events", 0, "events"),
        (_EVENTS, "events", [{"number": 1}], "events"),
        (_ATTEMPT, "number", "a", "attempts"),
        (_ATTEMPT, "owner", {"pid": 1}, "attempts"),
        ("leases/*/wf.json", "epoch", None, "lease"),
        ("leases/*/wf.json", "epoch", True, "lease"),
    ],
    ids=str,
)
def test_reading_when_a_document_was_edited_digest_and_all_then_it_is_damage_and_says_where(
    filled: Path, open_store: OpenStore, pattern: str, key: str, wrong: Any, call: str
) -> None:
    _edit(filled, pattern, key, wrong)

    with pytest.raises(CheckpointCorrupted, match=rf"\.{key}\S* in its file is not what"):
        open_store(filled).read(_calls()[call])


@pytest.mark.parametrize(
    ("pattern", "key", "wrong"),
    [
        ("index/unfinished/*.json", "workflows", [0]),
        ("workflows/*/wf/latest.json", "chained", {"rows": []}),
        ("workflows/*/wf/latest.json", "epoch", "1"),
        ("workflows/*/wf/contexts/*/*.json", "scopes", [{"scope": ""}]),
        ("index/failures.json", "failures", [7]),
    ],
    ids=str,
)
def test_reading_when_what_can_be_made_anew_was_edited_digest_and_all_then_it_is(
    filled: Path, open_store: OpenStore, save: Save, pattern: str, key: str, wrong: Any
) -> None:
    good = _answers(open_store(filled))
    _edit(filled, pattern, key, wrong)

    assert _answers(open_store(filled)) == good
    save(open_store(filled), "other", "error_state")


def _edit(folder: Path, pattern: str, key: str, wrong: Any) -> None:
    paths = sorted(folder.glob(pattern))
    assert paths
    for path in paths:
        found = json.loads(path.read_bytes())
        del found["digest"]
        assert key in found
        found[key] = wrong
        path.write_text(json.dumps({**found, "digest": documents.digest(found)}))
