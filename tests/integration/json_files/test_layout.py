"""Where files are: safe names, no crowded folder, and few files for one answer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import holdfast
import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.errors import CheckpointCorrupted
from holdfast.domain.ports import CheckpointFilter, UnitOfWork
from holdfast.infrastructure.json_files.file_operations import Files
from holdfast.infrastructure.json_files.store import JsonFileStore

OpenStore = Callable[..., JsonFileStore]
Save = Callable[..., Checkpoint]

# Names that are devices, ways out, or the same to file systems that fold case or normalise.
NASTY = [
    "..", ".", "...", "/", "//etc/passwd", "../../../tmp/x", "a/b", "a\\b", "C:\\x", "~", "~root",
    "CON", "con", "nul.txt", "COM1", "lpt9.json", "aux", "trailing.", "trailing ", " leading",
    ".hidden", "Case", "case", "cAse", "é", "e\u0301", "ﬁ", "fi", "日本語 🚀", "%", "@", "%40",
    "a@1", "latest.json", "attempts", "events", "contexts", "@000000000xxx",
    "@000000000001.progress.json", "unfinished", "lock", "journal", "index", "holdfast.json",
    "x" * 200, "X" * 200, "ß" * 100,
    "a:b", "a*b?", 'a"b', "a<b>|c", "$HOME", "`x`", "a;b", "-rf", "--help", "con.", "x.gz", "x.tmp",
]  # fmt: skip


def test_names_when_nasty_then_each_has_its_own_folder_inside_the_store(
    folder: Path, room: Path
) -> None:
    with holdfast.open(f"json:{folder}") as engine:
        saved = [engine.checkpoint(name, state={"name": name}) for name in NASTY]
        saved += [
            engine.checkpoint("wf", stage_id=name, agent_id=name, state={"name": name})
            for name in NASTY
        ]
        saved += [engine.checkpoint("wf", stage_id=name, state={"name": name}) for name in NASTY]
    with holdfast.open(f"json:{folder}") as engine:
        for each in saved:
            name = each.id.agent_id or each.id.stage_id or each.id.workflow_id
            assert engine.get(each.id).state == {"name": name}
        names = {each.workflow_id for each in engine.workflows(limit=None)}

    assert names == {*NASTY, "wf"}
    assert [each.name for each in room.iterdir()] == ["store"]
    folders = [path.parent for path in folder.glob("workflows/*/*/latest.json")]
    assert len({str(each).lower() for each in folders}) == len(NASTY) + 1
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        assert all(len(part) <= 160 and part.isascii() for part in relative.parts)
        assert not set(str(relative)) & set('\\:*?"<>| ')


def test_layout_when_looked_at_then_it_mirrors_workflow_stage_and_agent(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    store = open_store(folder)
    save(store, "nightly", "workflow_start")
    save(store, "nightly/load", "stage_start")
    save(store, "nightly/load/eu", "agent_start")

    (workflow,) = folder.glob("workflows/*/nightly")
    chunk = workflow / "@000000000xxx"
    assert (chunk / "@000000000001.workflow_start.json").is_file()
    assert (chunk / "load" / "@000000000002.stage_start.json").is_file()
    assert (chunk / "load" / "eu" / "@000000000003.agent_start.json").is_file()


def test_file_when_read_by_people_then_it_is_sorted_indented_and_says_its_schema(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    save(open_store(folder), state={"b": [1, 2], "a": {"é": None}})

    (path,) = folder.glob("workflows/*/wf/@*xxx/*.json")
    text = path.read_text()
    keys = [line.split('"')[1] for line in text.splitlines() if line.startswith('  "')]
    assert keys == sorted(keys)
    assert '"schema": 1' in text
    assert '      "a": {\n        "é": null\n      },\n      "b": [\n' in text
    assert text.endswith("}\n")


@pytest.mark.skipif(os.name == "nt", reason="there, rights are not modes")
def test_files_when_made_then_only_their_owner_can_read_them(
    folder: Path, open_store: OpenStore, save: Save
) -> None:
    old = os.umask(0)
    try:
        save(open_store(folder), "wf", "workflow_start")
    finally:
        os.umask(old)

    modes = {path.stat().st_mode & 0o077 for path in [folder, *folder.rglob("*")]}
    assert modes == {0}


def test_folders_when_there_are_thousands_then_none_is_crowded_and_answers_read_few_files(
    folder: Path, open_store: OpenStore, put: Save
) -> None:
    _require_room(folder, open_store, put, workflows=1500, checkpoints=2200, agents=1200)


@pytest.mark.deep
def test_folders_when_there_are_ten_thousand_then_none_is_crowded_and_answers_read_few_files(
    folder: Path, open_store: OpenStore, put: Save
) -> None:
    _require_room(folder, open_store, put, workflows=10_000, checkpoints=10_000, agents=10_000)


def _require_room(
    folder: Path, open_store: OpenStore, put: Save, *, workflows: int, checkpoints: int, agents: int
) -> None:
    seen: list[str] = []
    store = open_store(folder, files=Files(lambda name, _: seen.append(name)), write_timeout=60.0)

    def write(scopes: list[str], type_: str = "progress", **about: Any) -> None:
        for at in range(0, len(scopes), 250):
            part = scopes[at : at + 250]
            store.write(lambda uow, part=part: [put(uow, each, type_, **about) for each in part])  # type: ignore[misc]

    write([f"wf-{n}" for n in range(workflows)], "workflow_start")
    write(["deep"], "workflow_start", state={})
    write(["deep"] * (checkpoints - 1), patch={"n": 1})
    write([f"wide/stage/agent-{n}" for n in range(agents)])

    crowded = {
        str(path): count
        for path, _, files in os.walk(folder)
        if (count := len(files) + sum(each.is_dir() for each in Path(path).iterdir())) > 1100
    }
    assert crowded == {}
    answers: dict[str, Callable[[UnitOfWork], Any]] = {
        "standing": lambda uow: uow.checkpoints.standing("deep"),
        "latest": lambda uow: uow.checkpoints.get(_head(uow, "deep")),
        "unfinished": lambda uow: uow.checkpoints.unfinished("deep"),
        "context": lambda uow: uow.checkpoints.replay(_head(uow, "deep")),
        "newest": lambda uow: next(uow.checkpoints.find(CheckpointFilter())),
        "save": lambda uow: put(uow, "deep"),
    }
    for name, answer in answers.items():
        store.write(answer) if name == "save" else store.read(answer)
        seen.clear()
        store.write(answer) if name == "save" else store.read(answer)
        limit = {"context": 80, "save": 20}.get(name, 8)
        assert seen.count("read") <= limit, (name, seen.count("read"))
        assert seen.count("list") == 0, name
    seen.clear()
    found = store.read(lambda uow: sum(1 for _ in uow.checkpoints.unfinished_workflows()))
    assert found == workflows + 1
    # A list a bucket; and of each that is unfinished its pointer and its opening.
    assert seen.count("read") <= 2 * found + 300


def _head(uow: UnitOfWork, workflow_id: str) -> Any:
    standing = uow.checkpoints.standing(workflow_id)
    assert standing is not None
    return standing.head


def test_context_when_the_chain_is_deep_then_damage_far_behind_is_not_even_read(
    folder: Path, open_store: OpenStore, put: Save
) -> None:
    store = open_store(folder)
    store.write(lambda uow: [put(uow, patch={str(n): n}) for n in range(300)])
    (path,) = folder.glob("workflows/*/wf/@*xxx/@000000000005.*")
    path.write_text("{}")

    state = store.read(_head_state)

    assert state == {str(n): n for n in range(300)}
    with pytest.raises(CheckpointCorrupted):
        store.read(lambda uow: list(uow.checkpoints.find(CheckpointFilter())))


def _head_state(uow: UnitOfWork) -> Any:
    (record,) = uow.checkpoints.replay(_head(uow, "wf")).scopes.values()
    return record.state
