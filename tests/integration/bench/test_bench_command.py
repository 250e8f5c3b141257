"""`holdfast bench`: what it measures, prints, draws and leaves behind."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import holdfast
import pytest
from holdfast.interface.bench import chart, purge
from holdfast.interface.cli.bench import _folder_of as folder_of

SMALL = ["--state-size", "2KB", "--depth", "4", "--rounds", "3"]
needs_purge = pytest.mark.skipif(not purge.is_there(), reason="this version cannot purge yet")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def measured(self) -> Any:
        return json.loads(self.out)["measured"]


Bench = Callable[..., Ended]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Run `holdfast bench` in an empty folder, as a process of its own."""

    def run(*arguments: object, before: tuple[str, ...] = ()) -> Ended:
        command = [sys.executable, "-m", "holdfast", *before, "bench", *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


def test_recovery_when_small_then_every_series_has_its_percentiles_in_order(bench: Bench) -> None:
    (found,) = bench("recovery", *SMALL, "--json").measured

    assert found["benchmark"] == "recovery"
    assert found["options"] == {
        "state_size": 2_000,
        "depth": 4,
        "writers": 0,
        "rounds": 3,
        "keep": 100,
    }
    assert list(found["series"]) == ["whole recovery", "recover", "open the store"]
    for series in found["series"].values():
        assert series["count"] == len(series["seconds"]) == 3
        assert 0 < series["least"] <= series["p50"] <= series["p90"] <= series["p99"]
        assert series["p99"] == series["longest"]


def test_recovery_when_the_state_is_small_then_the_goal_is_not_judged(bench: Bench) -> None:
    (found,) = bench("recovery", *SMALL, "--json").measured

    assert found["goal"]["met"] is None
    assert "not judged, this state has 2 KB" in bench("recovery", *SMALL).out


def test_recovery_when_the_state_has_10_mb_then_it_says_whether_the_goal_is_met(
    bench: Bench,
) -> None:
    (found,) = bench(
        "recovery", "--state-size", "10MB", "--depth", 2, "--rounds", 1, "--json"
    ).measured

    p90 = found["series"]["whole recovery"]["p90"]
    assert found["goal"]["value_s"] == p90
    assert found["goal"]["limit_s"] == 5
    assert found["goal"]["met"] is (p90 < 5)


def test_recovery_when_others_write_meanwhile_then_it_is_measured_all_the_same(
    bench: Bench,
) -> None:
    (found,) = bench("recovery", *SMALL, "--writers", 1, "--json").measured

    assert found["series"]["recover"]["count"] == 3


def test_save_when_threads_share_the_engine_then_all_their_saves_are_counted(
    bench: Bench,
) -> None:
    (found,) = bench("save", *SMALL, "--writers", 2, "--json").measured

    assert found["series"]["save"]["count"] == 2 * 3
    assert found["figures"]["saves per second"] > 0


def test_save_when_nobody_writes_then_it_is_a_usage_error(bench: Bench) -> None:
    ended = bench("save", "--writers", 0)

    assert ended.code == 2
    assert "--writers" in ended.err


def test_bench_when_nothing_is_named_then_everything_there_is_is_measured(bench: Bench) -> None:
    measured = bench(*SMALL, "--writers", 1, "--keep", 2, "--json").measured

    wanted = ["recovery", "save"] + (["purge"] if purge.is_there() else [])
    assert [each["benchmark"] for each in measured] == wanted


@pytest.mark.skipif(purge.is_there(), reason="this version can purge")
def test_purge_when_there_is_none_then_it_says_so_and_fails(bench: Bench) -> None:
    ended = bench("purge", *SMALL)

    assert ended.code == 1
    assert "cannot purge yet" in ended.err
    assert ended.out == ""


@needs_purge
def test_purge_when_small_then_what_went_and_what_a_writer_waited_is_told(bench: Bench) -> None:
    (found,) = bench("purge", "--depth", 60, "--keep", 5, "--rounds", 2, "--json").measured

    assert found["series"]["purge"]["count"] == 2
    assert found["series"]["a writer's save meanwhile"]["count"] >= 1
    assert found["figures"]["checkpoints gone per second"] > 0


def test_table_when_printed_then_it_has_the_percentiles_and_no_bar(bench: Bench) -> None:
    ended = bench("save", *SMALL)

    assert ended.code == 0, ended.err
    heading = next(line for line in ended.out.splitlines() if "p50" in line)
    assert heading.split() == ["count", "p50", "p90", "p99", "longest"]
    assert "bench save  state 2 KB, depth 4, writers 1, rounds 3" in ended.out
    assert ended.err == "", "a bar is for terminals"


def test_bar_when_standard_error_is_a_terminal_then_it_is_drawn_and_the_output_stays_clean(
    tmp_path: Path,
) -> None:
    ours, theirs = pty.openpty()
    # A bar is drawn of what takes a moment.
    lasting = ["--state-size", "2KB", "--depth", "4", "--rounds", "1500"]
    command = [sys.executable, "-m", "holdfast", "bench", "save", *lasting, "--json"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm"},
    ) as process:
        os.close(theirs)
        drawn = b"".join(_until_closed(ours))
        out = process.stdout.read() if process.stdout else b""

    assert b"bench save" in drawn
    assert json.loads(out)["measured"][0]["benchmark"] == "save"


def _until_closed(terminal: int) -> Iterator[bytes]:
    try:
        while part := os.read(terminal, 4096):
            yield part
    except OSError:  # how Linux says that the other end is closed
        pass
    finally:
        os.close(terminal)


@pytest.mark.parametrize("given", [["--state-size", "much"], ["--depth", "1"], ["--rounds", "0"]])
def test_option_when_it_makes_no_sense_then_it_is_a_usage_error(
    bench: Bench, given: list[str]
) -> None:
    ended = bench("save", *given)

    assert ended.code == 2
    assert given[0] in ended.err


class TestFolder:
    def test_store_when_named_then_it_is_not_touched(self, bench: Bench, tmp_path: Path) -> None:
        folder = tmp_path / "other"
        folder.mkdir()
        with holdfast.open(folder / "mine.db") as engine:
            engine.checkpoint("wf", state={"a": 1})
        before = (folder / "mine.db").read_bytes()

        ended = bench("save", *SMALL, before=("--store", str(folder / "mine.db")))

        assert ended.code == 0, ended.err
        assert [each.name for each in folder.iterdir()] == ["mine.db"]
        assert (folder / "mine.db").read_bytes() == before

    @pytest.mark.parametrize("form", ["{}/mine.db", "sqlite:///{}/mine.db"])
    def test_folder_when_not_named_then_it_is_that_of_the_store(
        self, tmp_path: Path, form: str
    ) -> None:
        assert folder_of(form.format(tmp_path)) == tmp_path

    @pytest.mark.parametrize("store", [None, "memory:"])
    def test_folder_when_there_is_no_file_then_it_is_the_working_one(
        self, store: str | None
    ) -> None:
        assert folder_of(store) == Path.cwd()

    def test_folder_when_the_store_has_none_then_it_is_a_usage_error(self, bench: Bench) -> None:
        ended = bench("save", before=("--store", "nowhere/mine.db"))

        assert ended.code == 2
        assert "--folder" in ended.err

    def test_folder_when_named_then_it_is_empty_afterwards(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        (tmp_path / "disk").mkdir()

        ended = bench("recovery", *SMALL, "--folder", tmp_path / "disk")

        assert ended.code == 0, ended.err
        assert list((tmp_path / "disk").iterdir()) == []

    def test_folder_when_there_is_none_then_it_is_a_usage_error(self, bench: Bench) -> None:
        assert bench("save", "--folder", "nowhere").code == 2

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
    @pytest.mark.parametrize(
        "arguments",
        [
            ["save", "--state-size", "2KB", "--depth", "2", "--rounds", "1000000"],
            ["recovery", "--state-size", "2KB", "--depth", "2", "--rounds", "100000"],
            ["recovery", *SMALL[:4], "--rounds", "100000", "--writers", "1"],
        ],
        ids=["saving", "recovering", "recovering beside a writer"],
    )
    def test_bench_when_interrupted_then_nothing_is_left(
        self, tmp_path: Path, arguments: list[str], number: signal.Signals
    ) -> None:
        command = [sys.executable, "-m", "holdfast", "bench", *arguments]
        process = subprocess.Popen(
            command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        while not list(tmp_path.rglob("*.db-wal")):  # it has begun to write
            assert process.poll() is None

        os.killpg(process.pid, number)  # a terminal tells the whole group
        _, said = process.communicate()

        assert process.returncode == 128 + number
        assert "interrupted; the store of the benchmark is removed" in said
        assert list(tmp_path.iterdir()) == []


class TestChart:
    @pytest.fixture(autouse=True)
    def _drawing(self) -> None:
        pytest.importorskip("matplotlib", reason="the extra holdfast[chart] is not installed")

    def test_chart_when_svg_then_it_is_a_picture_with_its_labels_told_in_the_output(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        ended = bench("save", *SMALL, "--chart", "saves.svg")

        assert ended.code == 0, ended.err
        root = ET.parse(tmp_path / "saves.svg").getroot()  # noqa: S314 - our own
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        written = {"".join(each.itertext()) for each in root.iter(f"{root.tag[:-3]}text")}
        title = "holdfast bench save: state 2 KB, depth 4, writers 1"
        assert written >= {title, "milliseconds", "p50", "p90", "p99", "save"}
        assert "chart: saves.svg" in ended.out

    def test_chart_when_png_then_it_is_one(self, bench: Bench, tmp_path: Path) -> None:
        bench("recovery", *SMALL, "--chart", "recovery.PNG", "--json")

        assert (tmp_path / "recovery.PNG").read_bytes().startswith(b"\x89PNG\r\n")

    @pytest.mark.parametrize("name", ["chart.pdf", "chart", "nowhere/chart.svg"])
    def test_chart_when_it_cannot_be_drawn_there_then_it_is_said_before_measuring(
        self, bench: Bench, tmp_path: Path, name: str
    ) -> None:
        ended = bench("save", "--rounds", "1000000", "--chart", name)

        assert ended.code == 2
        assert name in ended.err
        assert list(tmp_path.iterdir()) == []


def test_chart_when_matplotlib_is_not_installed_then_it_is_said_how_before_measuring(
    tmp_path: Path,
) -> None:
    # A finder that hides the library stands for an environment without it.
    program = (
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'matplotlib':\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
        "from holdfast.interface.cli.main import main\n"
        "main(['bench', 'save', '--rounds', '1000000', '--chart', 'saves.svg'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 2
    assert "pip install matplotlib" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_formats_when_listed_then_they_are_what_the_command_promises() -> None:
    assert chart.FORMATS == (".svg", ".png")
