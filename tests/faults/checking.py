"""Opens what a crash left, and holds it against what was acknowledged before."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import holdfast
from holdfast.domain.ports import UnitOfWork

from .content import content_of
from .history import Crash, History
from .power_cut import DiskState, read_state
from .recording import target_in

GARBAGE = bytes(range(256)) * 128  # of the size of a -shm


@dataclass
class Counts:
    """How many states were checked, each content once."""

    kills: int = 0
    power_cuts: int = 0
    torn: int = 0

    @property
    def distinct(self) -> int:
        """All of them."""
        return self.kills + self.power_cuts

    def add(self, other: Counts) -> None:
        """Add what another one has counted."""
        self.kills += other.kills
        self.power_cuts += other.power_cuts
        self.torn += other.torn


@dataclass
class Checker:
    """Checks the crashes of one recorded scenario.

    Args:
        room: an empty folder, quick to write to.
        may_lose_a_tail: whether a power cut may take acknowledged transactions, the newest first.
    """

    history: History
    kind: str
    room: Path
    may_lose_a_tail: bool = False
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self._seen: set[str] = set()
        self._told: dict[str, str] = {}  # what a store told, by the digest of its files
        self._names: dict[str, set[str | None]] = {}  # of its checkpoints, by the same
        self._contents = self._contents_after_each()

    def check(self, crashes: Iterable[Crash]) -> None:
        """Check each that is of a content not seen before."""
        for crash in crashes:
            digest = crash.state.digest()
            if digest in self._seen:
                continue
            self._seen.add(digest)
            self._check(crash)
            if crash.is_power_cut:
                self.counts.power_cuts += 1
                self.counts.torn += crash.state.is_torn
            else:
                self.counts.kills += 1

    def _check(self, crash: Crash) -> None:
        least = 0 if crash.is_power_cut and self.may_lose_a_tail else crash.least
        allowed = self._contents[least : crash.most + 1]
        try:
            with self._opened(crash.state, crash.step) as engine:
                found = self._content(engine)
                assert found in allowed, (
                    f"it tells what it told after transaction "
                    f"{[at for at, each in enumerate(self._contents) if each == found]}, "
                    f"and not of {least} to {crash.most}"
                )
                if not self.may_lose_a_tail or not crash.is_power_cut:
                    lost = self._saved_before(crash.step) - self._names[found]
                    assert not lost, f"{lost} was acknowledged, and is lost"
                _work_on(engine, crash.step)
        except Exception as error:
            way = "the power was cut" if crash.is_power_cut else "it was killed"
            error.add_note(f"{way} after {self.history.steps[crash.step - 1]!r}")
            raise

    def _contents_after_each(self) -> list[str]:
        """Return what the store tells after so many transactions: whole ones, nothing under way."""
        contents: list[str] = []
        state = DiskState({})
        for number, step, disk, committed, _ in self.history.moments():
            if step.mark in ("begins", "committed"):
                state = disk.visible()
            if step.mark == "begins" and not contents:
                contents.append(self._content_of_state(state, number))
            if step.mark == "committed":
                del contents[committed:]
                contents.append(self._content_of_state(state, number))
            if step.mark.startswith("content "):
                assert contents[-1] == step.mark.removeprefix("content "), f"mark {number}"
        return contents or [self._content_of_state(state, 0)]

    def _content_of_state(self, state: DiskState, step: int) -> str:
        with self._opened(state, step) as engine:
            return self._content(engine)

    def _content(self, engine: holdfast.Engine) -> str:
        """Return what an engine tells, after it was verified; once for files that are equal."""
        # What is read comes from the files alone.
        digest = read_state(self.room).digest() if self.kind == "json" else _image_of(engine)
        if digest not in self._told:
            report = engine.verify()
            assert report.intact, report
            self._told[digest] = content = content_of(engine)
            self._names[content] = {each.name for each in engine.list(limit=1000)}
        return self._told[digest]

    def _saved_before(self, step: int) -> set[str | None]:
        """Return what callers were told is saved, by a mark of their own."""
        marks = (each.mark.split(" ") for each in self.history.steps[:step] if each.mark)
        return {words[1] for words in marks if words[0] == "saved"}

    def _opened(self, state: DiskState, step: int) -> holdfast.Engine:
        return open_state(state, self.kind, self.room, step)


def open_state(state: DiskState, kind: str, room: Path, step: int) -> holdfast.Engine:
    """Return an engine on a state of the disk, made in *room* in place of what was there.

    What SQLite keeps in shared memory does not outlive the system: it is lost, or garbage.
    """
    for each in room.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    state.write_to(room)
    if kind == "sqlite" and step % 3 == 0 and "store.db" in state.files:
        (room / "store.db-shm").write_bytes(GARBAGE)
    return holdfast.open(target_in(room, kind), settings={"write_timeout": 5.0})


def _image_of(engine: holdfast.Engine) -> str:
    """Return a digest of the pages that SQLite finds, in the file or in the -wal."""
    from hashlib import sha256

    store = engine._kernel.store
    with store._connections.reader() as connection:  # type: ignore[attr-defined]
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        image = connection.serialize()
        connection.execute("ROLLBACK")
    return sha256(image).hexdigest()


def _work_on(engine: holdfast.Engine, step: int) -> None:
    """Write on: what is given out is above all that was, and is there."""
    store = engine._kernel.store

    def look(uow: UnitOfWork) -> tuple[list[str], int]:
        names = [each for each in uow.transfer.names() if each.isprintable()]
        return names, uow.transfer.last_number()

    names, last_number = store.read(look)
    if names and step % 4:
        _write_on(engine, names[step % len(names)])
    else:
        assert engine.checkpoint("quite new", name="on").id.sequence == 1
        assert store.read(look)[1] == last_number + 1


def _write_on(engine: holdfast.Engine, name: str) -> None:
    def look(uow: UnitOfWork) -> tuple[int, int, bool]:
        lease = uow.leases.get(name)
        standing = uow.checkpoints.standing(name)
        is_final = bool(standing and standing.status and standing.status.is_final)
        return uow.transfer.last_sequence(name), lease.epoch if lease else 0, is_final

    sequence, epoch, is_final = engine._kernel.store.read(look)
    if is_final:
        return
    saved = engine.checkpoint(name, name="on", metadata={"after": "the crash"})
    assert saved.id.sequence > sequence
    assert saved.epoch >= epoch
    assert engine.latest(saved.id.workflow_id).id == saved.id
