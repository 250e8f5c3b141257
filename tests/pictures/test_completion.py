"""Completion, as the shells ask for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from holdfast.interface.cli.main import COMMANDS

from .orchard import RELEASE, WAITING
from .terminal import in_pipe

HOLDFAST = [sys.executable, "-m", "holdfast"]
SHELL_FUNCTION = """
holdfast() { "$PYTHON" -m holdfast "$@"; }
eval "$(holdfast completion bash)"
COMP_LINE="$1"; COMP_POINT=${#1}; COMPREPLY=()
_holdfast_completion holdfast
printf '%s\\n' "${COMPREPLY[@]}"
"""


def _completed(garden: Path, line: str, **more: str) -> list[str]:
    known = {"COMP_LINE": line, "_HOLDFAST_COMPLETE": "bash_complete", **more}
    ended = in_pipe(HOLDFAST, garden, {"HOLDFAST_STORE": "orchard.db", **known})
    return [each.partition(",")[2] for each in ended.text.splitlines() if each]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("holdfast sup", ["supervise"]),
        ("holdfast recover --dr", ["--dry-run"]),
        ("holdfast workflows --status fai", ["failed"]),
        ("holdfast tree rel", [RELEASE]),
        ("holdfast show emb", ["embeddings\\ 🌱\\ nightly"]),
        ("holdfast show 'embeddings ", ["embeddings 🌱 nightly"]),
        (f"holdfast show {RELEASE}/publish@2", ["22", "23"]),
        ("holdfast show ingest%2Forders-2026-03-14@", ["1"]),
        (f"holdfast answer {WAITING} ", ["approval"]),
        ("holdfast recover x --handler in", ["ingest"]),
        ("holdfast --app crew:app start ", []),
        ("holdfast --app crew:app recover x --handler mi", ["migrate"]),
    ],
)
def test_word_when_completed_then_what_fits(garden: Path, line: str, expected: list[str]) -> None:
    assert sorted(_completed(garden, line)) == expected


@pytest.mark.parametrize(
    "line",
    [
        "holdfast --store nowhere.db show ",
        "holdfast --store crew.py show ",
        "holdfast --config nothing.toml tree ",
        "holdfast --app crew:nothing recover --handler ",
        "holdfast show 'unclosed",
        "holdfast show nothing%zz@",
    ],
)
def test_word_when_something_is_wrong_then_nothing_is_said_and_nothing_made(
    garden: Path, line: str
) -> None:
    before = sorted(each.name for each in garden.iterdir())

    assert _completed(garden, line) == []
    assert sorted(each.name for each in garden.iterdir() if each.name != "__pycache__") == [
        each for each in before if each != "__pycache__"
    ]


def test_program_when_it_prints_as_it_is_imported_then_no_word_of_that_is_offered(
    tmp_path: Path, garden: Path
) -> None:
    (tmp_path / "loud.py").write_text(
        "import holdfast\nprint('plain,loud')\napp = holdfast.Registry()\n"
        "@app.workflow('nightly')\ndef nightly(run): ...\n"
    )

    assert _completed(tmp_path, "holdfast --app loud:app start ") == ["nightly"]


def test_script_when_bash_runs_it_then_words_take_the_place_of_what_bash_takes_for_one(
    garden: Path,
) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash here")

    def typed(line: str) -> list[str]:
        done = subprocess.run(
            [bash, "--norc", "-c", SHELL_FUNCTION, "bash", line],
            cwd=garden,
            env={**os.environ, "PYTHON": sys.executable, "HOLDFAST_STORE": "orchard.db"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    assert typed("holdfast show emb") == ["embeddings\\ 🌱\\ nightly"]
    assert typed(f"holdfast show {RELEASE}/draft@") == ["18", "17"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_when_asked_for_a_shell_then_that_of_the_shell_and_sound_where_it_is_installed(
    shell: str, tmp_path: Path
) -> None:
    ended = in_pipe([*HOLDFAST, "completion", shell], tmp_path, {})

    assert ended.code == 0
    assert f"_HOLDFAST_COMPLETE={shell}_complete" in ended.text
    if (program := shutil.which(shell)) is not None:
        done = subprocess.run([program, "-n"], input=ended.text.encode(), capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")


def test_commands_when_completed_then_none_of_them_is_imported(garden: Path) -> None:
    code = (
        "import sys\nfrom holdfast.interface.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(*[each for each in sys.modules if each.startswith('holdfast.interface.cli.')])"
    )
    known = {"COMP_LINE": "holdfast ", "_HOLDFAST_COMPLETE": "bash_complete"}
    *offered, loaded = in_pipe([sys.executable, "-c", code], garden, known).text.splitlines()

    assert len(offered) >= len(COMMANDS)
    assert {each.rpartition(".")[2] for each in loaded.split()} == {
        *("main", "lazy_group", "shell", "completion", "columns")
    }
