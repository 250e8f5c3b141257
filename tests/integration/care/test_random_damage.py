"""Random flips and cuts over both stores: found, never returned as good, and repaired.

Each round is made from its number alone. What a round may take along is told by oracles that know
nothing of how the product looks for damage: of SQLite the rows as SQLite itself gives them, of JSON
files the one file that was changed.
"""

from __future__ import annotations

import random
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import Connection, DatabaseError, connect
from typing import Any

import holdfast
import pytest

from .asking import CONTEXTS, answers, told

ALL = pytest.param(1000, marks=pytest.mark.deep)
# Of these a repair may change what is told: heads go back, acts are logged, leases are given up.
MAY_BE_SHORT = ("latest", "head", "workflow", "stale", "attempts")
MAY_CHANGE = ("latest", "head", "workflow", "event", "stale", "attempts")


@pytest.mark.parametrize("rounds", [20, ALL])
def test_sqlite_store_when_bytes_are_flipped_or_cut_then_it_is_found_and_repaired(
    filled_file: Path, shm: Path, rounds: int
) -> None:
    good = _asked(str(filled_file))
    whole = filled_file.read_bytes()
    original = _Rows(filled_file)
    seen: Counter[str] = Counter()
    path = shm / "damaged.db"

    for number in range(rounds):
        path.write_bytes(_damaged(whole, random.Random(number)))
        hint = f"round {number}"
        undamaged = original.undamaged_in(path)
        outcome = _examine(str(path), good, undamaged, hint)
        seen[outcome] += 1
        for each in path.parent.glob("damaged.db*"):
            each.unlink()

    print(f"\n{rounds} rounds over a SQLite store: {dict(seen)}")
    assert seen["repaired"] >= rounds / 20
    assert seen["below the rows"] + seen["does not open"] > 0


@pytest.mark.parametrize("rounds", [8, ALL])
def test_json_store_when_bytes_are_flipped_or_cut_then_it_is_found_and_repaired(
    filled_folder: Path, shm: Path, rounds: int
) -> None:
    target = f"json:{filled_folder}"
    good = _asked(target)
    files = sorted(each for each in filled_folder.rglob("*") if each.is_file())
    files = [each for each in files if each.stat().st_size]
    seen: Counter[str] = Counter()

    for number in range(rounds):
        draw = random.Random(number)
        victim = draw.choice(files).relative_to(filled_folder)
        copy = shm / "damaged"
        shutil.copytree(filled_folder, copy)
        (copy / victim).write_bytes(_damaged((copy / victim).read_bytes(), draw))
        undamaged = _not_depending_on(victim, filled_folder, good)
        outcome = _examine(f"json:{copy}", good, undamaged, f"round {number}: {victim}")
        seen[outcome] += 1
        shutil.rmtree(copy)

    print(f"\n{rounds} rounds over a JSON store: {dict(seen)}")
    assert seen["repaired"] > rounds / 10


def _damaged(content: bytes, draw: random.Random) -> bytes:
    """Return the bytes with one bit flipped, or in one of five times without the end."""
    changed = bytearray(content)
    at = draw.randrange(len(changed))
    if draw.random() < 0.2:
        del changed[at:]
    else:
        changed[at] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _examine(target: str, good: dict[str, Any], undamaged: set[str], hint: str) -> str:
    """Hold a damaged store against what it told before; return what became of it."""
    try:
        engine = holdfast.open(target)
    except holdfast.HoldfastError:
        return "does not open"  # as a whole, and so found
    with _quiet(), engine:
        found = answers(engine)
        report = engine.verify()
        assert not report.intact or found == good, (hint, _changed(found, good))
        wrong = {name for name, value in told(found).items() if value != good[name]}
        # A page that SQLite cannot tell from one with fewer rows hides rows: then a count, or the
        # newest of them, is that of what is left. Written down in docs/doctor.md.
        hides = wrong and all(each.startswith(MAY_BE_SHORT) for each in wrong)
        below = any(each.kind in ("file", "index") for each in report.damaged)
        assert not wrong or (hides and below and not target.startswith("json:")), (hint, wrong)
        _require(undamaged, found, good, hint)
        if report.intact:
            return "harmless"
        repaired = engine.verify(repair=True)
        if any(each.kind == "file" for each in repaired.findings):
            assert ".recover" in str(repaired.findings), hint
            assert not repaired.intact
            return "hides rows below" if hides else "below the rows"
        assert engine.verify().intact, (hint, engine.verify().findings)
        left = answers(engine)
        for name, value in told(left).items():
            assert name.startswith(MAY_CHANGE) or value == good[name], (hint, name)
        _require(_standing(undamaged), left, good, hint)
        return "hid rows, repaired" if hides else "repaired"


def _standing(undamaged: set[str]) -> set[str]:
    """Return what a repair must leave: what can be rebuilt. What cannot goes, with its row."""
    contexts = {each for each in undamaged if each.startswith("context ")}
    return contexts | {each.replace("context", "get") for each in contexts}


def _require(names: set[str], found: dict[str, Any], good: dict[str, Any], hint: str) -> None:
    for name in names:
        assert name in found and found[name] == good[name], (hint, name, found.get(name))


def _changed(found: dict[str, Any], good: dict[str, Any]) -> list[str]:
    return [name for name in good if name not in found or found[name] != good[name]]


def _asked(target: str) -> dict[str, Any]:
    with _quiet(), holdfast.open(target) as engine:
        good = answers(engine)
    assert not any(isinstance(each, Exception) for each in good.values())
    return good


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", holdfast.DamagedWarning)
        yield


def _not_depending_on(victim: Path, folder: Path, good: dict[str, Any]) -> set[str]:
    """Return the answers that have nothing to do with a file, as its place tells."""
    parts = victim.parts
    if parts[0] == "leases" or (parts[0] == "workflows" and parts[3] in ("attempts", "events")):
        return {
            each for each in good if each.startswith(("get", "held", "context", "head", "listed"))
        }
    if parts[0] == "workflows" and parts[3].startswith("@"):
        return _not_standing_on(victim, folder, good)
    return set(good)


def _not_standing_on(victim: Path, folder: Path, good: dict[str, Any]) -> set[str]:
    """Return what does without a checkpoint: its context is kept at it, or between it and them."""
    workflow, lost = victim.parts[2], int(victim.name[1:13])
    kept = {
        int(each.name[1:13])
        for each in folder.glob(f"workflows/*/{workflow}/contexts/*/*")
        if int(each.name[1:13]) >= lost
    }
    next_start = min(kept, default=1 << 30)
    found = set()
    for name in good:
        what, _, subject = name.partition(" ")
        owner = subject.partition("@")[0].partition("/")[0]
        sequence = int(subject.partition("@")[2] or 0)
        stands = owner != workflow or sequence < lost or sequence >= next_start
        is_about_one = what in ("get", "held", "listed") or (what == "context" and stands)
        if is_about_one and (owner, sequence) != (workflow, lost):
            found.add(name)
    return found


class _Rows:
    """The rows of a store as SQLite gives them, by table and number."""

    def __init__(self, path: Path) -> None:
        with closing(connect(path)) as raw:
            raw.text_factory = bytes
            self._workflows = dict(raw.execute("SELECT workflow_id, id FROM workflows").fetchall())
            self._rows = {key: raw.execute(*_lookup(*key)).fetchall() for key in self._keys(raw)}
            self._schema = raw.execute(_SCHEMA).fetchall()

    def undamaged_in(self, path: Path) -> set[str]:
        """Return the answers all of whose rows are the same in a damaged copy."""
        try:
            with closing(connect(path)) as raw:
                raw.text_factory = bytes
                if raw.execute(_SCHEMA).fetchall() != self._schema:
                    return set()  # everything depends on it
                same = {key for key, row in self._rows.items() if _is_same(raw, key, row)}
        except (DatabaseError, UnicodeDecodeError):
            return set()
        for each in path.parent.glob(f"{path.name}-*"):
            each.unlink()
        return set(self._answers(same))

    def _answers(self, same: set[tuple[Any, ...]]) -> Iterator[str]:
        for name, workflow in self._workflows.items():
            if ("workflow", name) not in same or ("workflow by number", workflow) not in same:
                continue
            for key in self._rows:
                if key[:2] == ("checkpoint", workflow) and key in same and name in _PLAIN:
                    stem = f"{name.decode()}@{key[2]}"
                    yield from self._of_checkpoint(key, stem, same)

    def _of_checkpoint(
        self, key: tuple[Any, ...], stem: str, same: set[tuple[Any, ...]]
    ) -> Iterator[str]:
        """Yield what is of its row, and its context where all since its keyframe is the same."""
        _, workflow, sequence = key
        yield f"get {stem}"
        if stem not in CONTEXTS:
            return
        rows = {each[2]: self._rows[each][0] for each in self._rows if each[:2] == key[:2]}
        start = rows[sequence][_KEYFRAME]
        first = next((s for s, row in rows.items() if row[0] == start), 1)
        needed: set[tuple[Any, ...]] = {
            ("checkpoint", workflow, each) for each in range(first, sequence + 1)
        }
        if start is not None:
            needed |= {("keyframe", number) for number in self._bases(start)}
        if needed <= same:
            yield f"context {stem}"

    def _bases(self, number: int | None) -> Iterator[int]:
        while number is not None:
            yield number
            number = self._rows["keyframe", number][0][1]

    def _keys(self, raw: Connection) -> Iterator[tuple[Any, ...]]:
        for name, number in self._workflows.items():
            yield "workflow", name
            yield "workflow by number", number
        for key in raw.execute("SELECT workflow, sequence FROM checkpoints").fetchall():
            yield "checkpoint", *key
        for (number,) in raw.execute("SELECT number FROM keyframes").fetchall():
            yield "keyframe", number


_SCHEMA = "SELECT * FROM sqlite_master"
_PLAIN = (b"flight", b"record")  # all of whose checkpoints are of the workflow itself
_KEYFRAME = 24  # the column of a checkpoint that names its keyframe


def _lookup(what: str, *key: Any) -> tuple[str, tuple[Any, ...]]:
    texts = {
        "workflow": "SELECT * FROM workflows WHERE workflow_id = CAST(? AS TEXT)",
        "workflow by number": "SELECT * FROM workflows WHERE id = ?",
        "checkpoint": "SELECT * FROM checkpoints WHERE workflow = ? AND sequence = ?",
        "keyframe": "SELECT * FROM keyframes WHERE number = ?",
    }
    return texts[what], key


def _is_same(raw: Connection, key: tuple[Any, ...], row: list[Any]) -> bool:
    try:
        return bool(raw.execute(*_lookup(*key)).fetchall() == row)
    except (DatabaseError, UnicodeDecodeError):  # the second where what it complains of is no text
        return False
