"""The guard: starts one process, and lets nothing of it outlive what asked for it.

    python -m holdfast.infrastructure.processes.guard CONTROL REPORT

It stands between Holdfast and the process that it starts for it. As a process of its own it is
there whatever becomes of either: when the process ends, is killed or kills itself, what it started
is ended; when Holdfast dies, everything is killed at once, for by then somebody else may be
carrying the workflow on.

CONTROL is the number of a descriptor to read from: one line of JSON, the order; then ``e`` to end
what runs, SIGTERM first; its end means that Holdfast is gone. REPORT is one to write to: lines that
begin with ``W`` are the word of what runs, those with ``L`` lines of its log, which are no output
of it; one that begins with ``G`` says how it ended.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from .linux import adopt_orphans, die_with_parent
from .process_table import descendants

# For what cannot be killed at once: it hangs in the kernel, or belongs to somebody else.
_PATIENCE = 5.0
_LOOK_AGAIN = 1.0
_IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_NOT_FOUND, _NOT_STARTED = 127, 126


def main() -> None:
    """Start what is ordered, guard it to its end, report that."""
    control, report = int(sys.argv[1]), int(sys.argv[2])
    for descriptor in (control, report):
        os.set_inheritable(descriptor, False)
    order = json.loads(_read_line(control))
    # What the thread that asked for it had blocked is not to be blocked here.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # Told by its parent alone; what reaches the whole group is meant for what it guards.
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    adopts = adopt_orphans()
    guard = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(control)
        _begin(guard)
        sys.exit(_run(order, report))
    _tell(report, b"G", {"pid": pid})
    _leave_streams()
    status = Watch(pid, control, float(order["grace"]), adopts=adopts).to_the_end()
    if order.get("room"):
        shutil.rmtree(order["room"], ignore_errors=True)
    _tell(report, b"G", {"ended": status, "left": descendants(guard)})


class Watch:
    """Waits for the end of a process and of everything below it."""

    def __init__(self, pid: int, control: int, grace: float, *, adopts: bool) -> None:
        self._pid = pid
        self._control = control
        self._grace = grace
        self._adopts = adopts
        self._parent = os.getppid()
        self._status: int | None = None
        self._has_children = True
        self._deadline: float | None = None
        self._is_heard = True
        self._wake, wake = os.pipe()
        for descriptor in (self._wake, wake):
            os.set_blocking(descriptor, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def to_the_end(self) -> int:
        """Wait until nothing is left; return the exit code, negative for a signal."""
        while self._goes_on():
            rest = self._deadline - time.monotonic() if self._deadline is not None else _LOOK_AGAIN
            self._listen(max(0.0, min(rest, _LOOK_AGAIN)))
        self._kill_rest()
        return self._status if self._status is not None else -signal.SIGKILL

    def _goes_on(self) -> bool:
        self._reap()
        if not self._has_children:
            return False
        if self._deadline is not None and self._deadline <= time.monotonic():
            return False
        if self._status is not None:
            self._end()  # it is over; what it left behind goes, too
        return os.getppid() == self._parent

    def _end(self) -> None:
        if self._deadline is None:
            self._deadline = time.monotonic() + self._grace
            for pid in self._below():
                _send(pid, signal.SIGTERM)
                _send(pid, signal.SIGCONT)  # one that is stopped would not hear it

    def _listen(self, seconds: float) -> None:
        heard = [self._control] if self._is_heard else []
        readable, _, _ = select.select([*heard, self._wake], [], [], seconds)
        if self._wake in readable:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, 4096)
        if self._control in readable:
            if os.read(self._control, 64):
                self._end()
            else:
                self._is_heard = False
                self._deadline = time.monotonic()  # the parent is gone: at once

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._has_children = False
                return
            if pid == 0:
                return
            if pid == self._pid:
                self._status = os.waitstatus_to_exitcode(status)

    def _kill_rest(self) -> None:
        """Kill until there is nothing to wait for: what is new since the last look, too."""
        if not self._adopts:
            _send(-self._pid, signal.SIGKILL)  # its orphans are out of sight; its group is not
        patience = time.monotonic() + _PATIENCE
        while self._has_children and time.monotonic() < patience:
            for pid in self._below():
                _send(pid, signal.SIGKILL)
            self._listen_for_children()
            self._reap()

    def _listen_for_children(self) -> None:
        readable, _, _ = select.select([self._wake], [], [], 0.02)
        if readable:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, 4096)

    def _below(self) -> list[int]:
        found = descendants(os.getpid())
        # Where there is no /proc: the process group, at least.
        return found or [-self._pid]


def _begin(guard: int) -> None:
    """Make the new process what a fresh one is, in a session of its own."""
    os.setsid()
    die_with_parent()
    if os.getppid() != guard:
        os._exit(1)  # it died before it could be asked
    for number in (*_IGNORED, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)


def _run(order: dict[str, Any], report: int) -> int:
    command = order.get("command")
    if not command:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python has them
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        run = importlib.import_module(order["module"]).main
        return int(run(order["task"], *_teller(report)))
    try:
        os.execvp(command[0], command)  # noqa: S606 - without a shell is how it is promised
    except OSError as error:
        _tell(report, b"W", {"not_started": f"{command[0]}: {error.strerror}"})
        os._exit(_NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_STARTED)


def _teller(report: int) -> tuple[Callable[[bytes], None], Callable[[str], None]]:
    """Return what tells the word, and what tells a line of the log; from any thread."""
    from threading import Lock

    lock = Lock()  # a line may be longer than what a pipe takes at once

    def tell(kind: bytes, text: bytes) -> None:
        with lock:
            _write(report, kind + text + b"\n")

    return lambda word: tell(b"W", word), lambda line: tell(b"L", json.dumps(line).encode())


def _leave_streams() -> None:
    """Hold none of the streams of what is guarded: their end is that of what it started."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _read_line(descriptor: int) -> bytes:
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        part = os.read(descriptor, 1 << 16)
        if not part:
            sys.exit(1)  # the parent is gone already
        parts.append(part)
    return b"".join(parts)


def _tell(descriptor: int, kind: bytes, what: dict[str, Any]) -> None:
    # On a line of its own, whatever was cut off before.
    _write(descriptor, b"\n" + kind + json.dumps(what).encode() + b"\n")


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    with contextlib.suppress(BrokenPipeError):
        while view:
            view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    main()
