"""Parents that cannot be, and stores that cannot be opened or written: said, and nothing changed.

Each through the Python interface and as a command, on a database and on JSON files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import TypeAlias

import holdfast
import pytest

Command: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]

# Everything is loaded before: what Python is installed in may not be everybody's to read.
UNPRIVILEGED = """
import contextlib, io, os, sys, tempfile
from holdfast.interface.cli.main import main
kind = "json:" if sys.argv[2].startswith("json:") else ""
with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
    for name in ("new", "none/deeper"):
        with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
            main(["--store", f"{kind}{folder}/{name}", *sys.argv[3:]])
if os.geteuid() == 0:  # for whom nothing is read-only
    os.setegid(65534)
    os.seteuid(65534)
main(sys.argv[1:])
"""
LIMITED = """
import resource, signal, sys
from holdfast.interface.cli.main import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
main(sys.argv[1:])
"""


def perform(
    *arguments: str, program: str | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    start = ["-m", "holdfast"] if program is None else ["-c", program]
    clean = {name: text for name, text in os.environ.items() if not name.startswith("HOLDFAST")}
    return subprocess.run(
        [sys.executable, *start, *arguments],
        env={**clean, "PYTHONPATH": os.pathsep.join(sys.path), "HOME": tempfile.gettempdir()},
        cwd=tempfile.gettempdir(),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
    )


def require_one_line(ended: subprocess.CompletedProcess[str], code: int, *says: str) -> None:
    """Raise unless a command ended so: its code, nothing printed, one line that says that."""
    assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert all(each in ended.stderr for each in says), ended.stderr


@pytest.fixture(params=["sqlite", "json"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def room() -> Iterator[Path]:
    """Return a folder that other users can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def place(room: Path, kind: str) -> Path:
    """Return the path of a store with a workflow, which was closed."""
    path = room / ("files" if kind == "json" else "store.db")
    with holdfast.open(named(path, kind)) as engine:
        for n in range(3):
            engine.checkpoint("w", state={"n": n})
    return path


def named(path: Path, kind: str) -> str:
    return f"json:{path}" if kind == "json" else str(path)


def contents(path: Path) -> dict[str, bytes]:
    files = path.rglob("*") if path.is_dir() else [path]
    return {str(each): each.read_bytes() for each in files if each.is_file()}


class TestParents:
    def test_checkpoint_when_the_parent_cannot_be_then_the_error_says_which_and_why(
        self, engine: holdfast.Engine
    ) -> None:
        for n in range(9):
            engine.checkpoint("w", state={"n": n})
        engine.checkpoint("other")
        engine.purge(keep=3)
        before = engine.events()

        for parent, kind, says in (
            ("w@99", holdfast.NotFound, r"w@99"),
            ("other@1", holdfast.InvalidRequest, r"other@1 .* belongs to another workflow"),
            ("w@2", holdfast.Purged, r"w@2 .*purged"),
            ("w@0", holdfast.InvalidId, r"w@0.* is not valid"),
            ("w/s@9", holdfast.NotFound, r"w/s@9.*w@9"),
        ):
            with pytest.raises(kind, match=says):
                engine.checkpoint("w", parent=parent)

        assert engine.events() == before

    @pytest.mark.parametrize(
        ("command", "code", "says"),
        [
            (["fork", "w@99", "new"], 3, "w@99"),
            (["fork", "other@1", "new"], 3, "other"),
            (["fork", "w@", "new"], 2, "w@"),
        ],
        ids=["missing", "other workflow", "no id"],
    )
    def test_fork_when_the_id_cannot_be_then_one_line_and_its_code(
        self, place: Path, kind: str, command: list[str], code: int, says: str
    ) -> None:
        require_one_line(perform("--store", named(place, kind), *command), code, says)


class TestValues:
    @pytest.mark.parametrize(
        ("state", "code", "says"),
        [
            ('{"a": NaN}', 1, "state.a: nan is not JSON"),
            ('{"a": 1', 2, "is not JSON"),
            ("[]", 2, "state must be a JSON object"),
            ('{"a": "' + "x" * 300 + '"}', 1, "308 bytes, the limit is 250 bytes"),
            ('{"a": ' + "[" * 300 + "]" * 300 + "}", 1, "deeper than 200 levels"),
            ('{"a": "\\ud800"}', 1, "state.a: the string contains a lone surrogate"),
        ],
        ids=["nan", "cut short", "no object", "too large", "too deep", "surrogate"],
    )
    def test_checkpoint_command_when_the_state_cannot_be_then_its_code_and_nothing_written(
        self, place: Path, kind: str, room: Path, state: str, code: int, says: str
    ) -> None:
        (room / "holdfast.toml").write_text("[engine]\nmax_state_bytes = 250\n")
        options = ["--config", str(room / "holdfast.toml"), "--store", named(place, kind)]

        ended = perform(*options, "checkpoint", "w", "--state", "-", stdin=state)

        assert (ended.returncode, ended.stdout) == (code, "")
        assert says in ended.stderr
        assert "Traceback" not in ended.stderr
        with holdfast.open(named(place, kind)) as engine:
            assert len(engine.list("w")) == 3


class TestPlaces:
    @pytest.mark.parametrize("what", ["text", "other", "folder", "empty"])
    def test_store_when_it_is_something_else_then_said_and_not_changed(
        self, room: Path, kind: str, what: str
    ) -> None:
        path = room / "thing"
        _make(path, what, kind)
        before = contents(path)

        with pytest.raises(holdfast.StorageUnavailable):
            holdfast.open(named(path, kind), create=False)
        ended = perform("--store", named(path, kind), "workflows")

        require_one_line(ended, 5, str(path))
        assert contents(path) == before

    def test_store_when_it_is_read_only_then_said_and_not_changed(
        self, place: Path, kind: str
    ) -> None:
        for each in (place, *place.rglob("*")):
            each.chmod(0o555 if each.is_dir() else 0o444)
        before = contents(place)

        written = perform("--store", named(place, kind), "checkpoint", "w", program=UNPRIVILEGED)

        require_one_line(written, 5, str(place))
        assert any(word in written.stderr for word in ("permission", "read-only", "Permission"))
        assert contents(place) == before

    @pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
    def test_store_when_the_disk_is_full_then_said_nothing_half_written_and_work_goes_on_after(
        self, place: Path, kind: str, room: Path
    ) -> None:
        """The limit on the size of files stands for the disk."""
        (room / "holdfast.toml").write_text("[engine]\nwrite_timeout = 0.2\n")
        options = ["--config", str(room / "holdfast.toml"), "--store", named(place, kind)]
        state = '{"text": "' + os.urandom(400_000).hex() + '"}'

        full = perform(*options, "checkpoint", "w", "--state", "-", program=LIMITED, stdin=state)
        room_again = perform(*options, "checkpoint", "w", "--state", "-", stdin=state)

        require_one_line(full, 5, str(place))
        assert room_again.stdout == "w@4\n"
        with holdfast.open(named(place, kind)) as engine:
            assert [each.id.sequence for each in engine.list("w")] == [4, 3, 2, 1]
            assert engine.verify().intact

    def test_import_when_the_file_was_cut_short_then_one_line_and_no_store(
        self, place: Path, kind: str, room: Path
    ) -> None:
        with holdfast.open(named(place, kind)) as engine:
            engine.export_to(room / "all.jsonl")
        content = (room / "all.jsonl").read_bytes()
        (room / "cut.jsonl").write_bytes(content[: len(content) // 2])

        ended = perform("--store", named(room / "new", kind), "import", str(room / "cut.jsonl"))

        require_one_line(ended, 5, "cut.jsonl, line 3", "cut short")
        assert not (room / "new").exists()


def _make(path: Path, what: str, kind: str) -> None:
    if what == "text":
        path.write_text("not a store at all, and long enough to be taken for one " * 40)
    elif what == "empty":
        path.mkdir() if kind == "json" else path.touch()
    elif what == "folder":
        path.mkdir()
        (path / "notes.txt").write_text("somebody's")
    else:
        with closing(connect(path)) as other, other:
            other.execute("CREATE TABLE t (n)")
