"""What every host promises."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.lease import Owner
from holdfast.domain.ports import Host
from holdfast.infrastructure import host as host_module
from holdfast.infrastructure.host import LocalHost

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(),
    reason="without /proc nobody is ever provably gone, and there is nothing to tell",
)

AFTER_A_FORK = """
import os
from holdfast.infrastructure.host import LocalHost

host = LocalHost()
parent = host.owner()
reading, writing = os.pipe()
pid = os.fork()
if pid == 0:
    child = host.owner()
    alive = not host.is_gone(parent)
    same = child == LocalHost().owner()
    os.write(writing, f"{child.pid} {alive} {same}".encode())
    os._exit(0)
os.waitpid(pid, 0)
print(pid, os.read(reading, 1000).decode(), host.owner() == parent)
"""


class HostContract:
    """Subclass it for each adapter, with a fixture ``host``."""

    def test_owner_when_asked_then_it_is_this_process(self, host: Host) -> None:
        owner = host.owner()

        assert owner.pid == os.getpid()
        assert None not in (owner.boot_id, owner.pid_namespace, owner.started)
        assert host.owner() == owner

    def test_is_gone_when_it_is_ourselves_then_not(self, host: Host) -> None:
        assert not host.is_gone(host.owner())

    def test_is_gone_when_the_process_lives_then_not(self, host: Host) -> None:
        with _living_process() as pid:
            assert not host.is_gone(replace(host.owner(), pid=pid, started=None))

    def test_is_gone_when_the_process_ended_then_gone(self, host: Host) -> None:
        with _living_process() as pid:
            pass

        assert host.is_gone(replace(host.owner(), pid=pid, started=None))
        assert host.is_gone(replace(host.owner(), pid=pid))

    def test_is_gone_when_the_process_is_a_zombie_then_gone(self, host: Host) -> None:
        process = subprocess.Popen(["true"])
        # Waits until it has ended, and leaves it a zombie.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        try:
            assert host.is_gone(replace(host.owner(), pid=process.pid, started=None))
        finally:
            process.wait()

    def test_is_gone_when_the_number_belongs_to_a_later_process_then_gone(self, host: Host) -> None:
        owner = host.owner()
        assert owner.started is not None

        assert host.is_gone(replace(owner, started=owner.started - 1))

    def test_is_gone_when_its_start_is_unknown_and_the_number_is_in_use_then_not(
        self, host: Host
    ) -> None:
        assert not host.is_gone(replace(host.owner(), started=None))

    def test_is_gone_when_this_host_was_started_again_since_then_gone(self, host: Host) -> None:
        assert host.is_gone(replace(host.owner(), boot_id="an older boot"))
        assert host.is_gone(replace(host.owner(), boot_id="an older boot", pid_namespace=None))

    @pytest.mark.parametrize(
        "other",
        [
            {"boot_id": "another", "host": "another"},
            {"boot_id": None},
            {"pid_namespace": "pid:[1]"},
            {"pid_namespace": None},
        ],
        ids=["another host", "unknown boot", "another namespace", "unknown namespace"],
    )
    def test_is_gone_when_it_cannot_be_judged_from_here_then_not(
        self, host: Host, other: dict[str, Any]
    ) -> None:
        with _living_process() as pid:
            pass
        stranger = replace(host.owner(), pid=pid, **other)

        assert not host.is_gone(stranger)


class TestLocalHost(HostContract):
    @pytest.fixture
    def host(self) -> Host:
        return LocalHost()

    @pytest.mark.parametrize("command", ["a) Z 1 (b", "with space", ")))"])
    def test_is_gone_when_the_command_has_an_odd_name_then_it_is_read_all_the_same(
        self, host: Host, tmp_path: Path, command: str
    ) -> None:
        cat = shutil.which("cat")
        assert cat is not None
        (tmp_path / command).symlink_to(cat)

        with _living_process(str(tmp_path / command)) as pid:
            owner = replace(host.owner(), pid=pid, started=None)
            assert not host.is_gone(owner)
            assert host.is_gone(replace(owner, started=1))

    def test_is_gone_when_the_process_is_hidden_from_us_then_not(
        self, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # As with the mount option hidepid: other users' processes have no entry.
        hidden = tmp_path / "proc"
        (hidden / "self").mkdir(parents=True)
        owner = host.owner()
        with _living_process() as pid:
            monkeypatch.setattr(host_module, "_PROC", hidden)

            assert not host.is_gone(replace(owner, pid=pid, started=None))

    @pytest.mark.parametrize("content", ["", "garbage", "1 (x", "1 (x) R", "1 (x) R 1 2 3"])
    def test_is_gone_when_what_is_told_cannot_be_read_then_not(
        self, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
    ) -> None:
        owner: Owner = host.owner()
        stat = tmp_path / str(owner.pid) / "stat"
        stat.parent.mkdir()
        stat.write_text(content)
        monkeypatch.setattr(host_module, "_PROC", tmp_path)

        assert not host.is_gone(owner)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
    def test_owner_when_forked_then_it_is_another(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", AFTER_A_FORK], capture_output=True, text=True, check=True
        )

        pid, child, parent_lives, agrees, unchanged = done.stdout.split()
        assert child == pid
        assert (parent_lives, agrees, unchanged) == ("True", "True", "True")


@contextmanager
def _living_process(command: str = "cat") -> Iterator[int]:
    process = subprocess.Popen([command], stdin=subprocess.PIPE)
    try:
        yield process.pid
    finally:
        process.communicate()
