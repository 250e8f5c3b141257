"""What every host promises."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ...domain.ports import Host

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(),
    reason="without /proc nobody is ever provably gone, and there is nothing to tell",
)


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
        with living_process() as pid:
            assert not host.is_gone(replace(host.owner(), pid=pid, started=None))

    def test_is_gone_when_the_process_ended_then_gone(self, host: Host) -> None:
        with living_process() as pid:
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
        with living_process() as pid:
            pass
        stranger = replace(host.owner(), pid=pid, **other)

        assert not host.is_gone(stranger)


@contextmanager
def living_process(command: str = "cat") -> Iterator[int]:
    process = subprocess.Popen([command], stdin=subprocess.PIPE)
    try:
        yield process.pid
    finally:
        process.communicate()
