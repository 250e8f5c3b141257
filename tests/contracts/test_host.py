"""What every host promises."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from holdfast.domain.lease import Owner
from holdfast.domain.ports import Host
from holdfast.infrastructure import host as host_module
from holdfast.infrastructure.host import LocalHost
from holdfast.testing.contracts.host import HostContract, living_process

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

        with living_process(str(tmp_path / command)) as pid:
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
        with living_process() as pid:
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
