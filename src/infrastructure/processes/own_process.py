"""A process of its own, as the one that started it sees it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from ...domain.errors import InvalidRequest
from ...domain.ports.processes import ProcessOrder, Sign, Sink
from ...domain.run_handover import SIGNS
from .output_tail import OutputTail
from .process_table import of_session
from .signs import SignPipe

_GUARD = "holdfast.infrastructure.processes.guard"
_TAIL = 64 << 10
_CHUNK = 1 << 16
# Beyond the grace: for the guard to kill what is left and to say so.
_GUARD_PATIENCE = 10.0
_OUTPUT_PATIENCE = 1.0


class LocalProcesses:
    """Starts processes of their own on this host."""

    def start(self, order: ProcessOrder) -> OwnProcess:
        """Start one, fresh; see the port."""
        if os.name != "posix":
            raise InvalidRequest(
                "processes of their own need a POSIX system; register the handler with "
                "isolation='inline'"
            )
        return OwnProcess(order)


class OwnProcess:
    """One process with everything that it starts, behind a guard; see the port `Process`."""

    def __init__(self, order: ProcessOrder) -> None:
        self.changed = threading.Event()
        self.word: bytes | None = None
        self.exit_code: int | None = None
        self._grace = order.grace
        self._log_to = order.stderr
        self._pid: int | None = None
        self._signs: list[Sign] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._tail = OutputTail(_TAIL)
        self._room = Path(tempfile.mkdtemp(prefix="holdfast-"))
        try:
            self._pipe = SignPipe(self._room)
            try:
                self._start(order)
            except BaseException:
                self._pipe.close()
                raise
        except BaseException:
            shutil.rmtree(self._room, ignore_errors=True)
            raise

    @property
    def tail(self) -> str:
        """The end of what it printed, at most 64 KiB."""
        return self._tail.text()

    def signs(self) -> list[Sign]:
        """Return the signs of life since the last call, one given just now included."""
        with self._lock:
            found, self._signs = self._signs, []
            return found if self._over.is_set() else found + self._pipe.read()

    def close(self) -> None:
        """End it, its children with it; see the port."""
        try:
            self._ask_to_end()
            if not self._over.wait(self._grace + _GUARD_PATIENCE):
                self._kill_guard()
        except BaseException:
            # Interrupted while it had its grace: no more of that.
            self._close_control()
            self._over.wait(_GUARD_PATIENCE)
            raise
        finally:
            self._let_go()

    def _start(self, order: ProcessOrder) -> None:
        control, self._control = os.pipe()
        self._report, report = os.pipe()
        try:
            with _stdin_of(order) as stdin:
                self._guard = subprocess.Popen(
                    # -P: what lies in the working folder must not pass for the standard library.
                    [sys.executable, "-P", "-m", _GUARD, str(control), str(report)],
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    # Within a run whoever watches that hears the signs.
                    env={SIGNS: self._pipe.path, **order.environment},
                    pass_fds=(control, report),
                    # Ctrl-C is for this process, which then ends it.
                    start_new_session=True,
                )
        except BaseException:
            os.close(self._control)
            os.close(self._report)
            raise
        finally:
            os.close(control)
            os.close(report)
        self._threads = [
            self._in_background(self._listen),
            self._in_background(self._pass_on, self._guard.stdout, order.stdout),
            self._in_background(self._pass_on, self._guard.stderr, order.stderr),
        ]
        what = {"command": order.command, "module": order.module, "task": order.task}
        line = json.dumps({**what, "grace": order.grace, "room": str(self._room)})
        with contextlib.suppress(BrokenPipeError):  # it ended already, and is reported
            _write(self._control, f"{line}\n".encode())

    def _in_background(self, target: object, *args: object) -> threading.Thread:
        thread = threading.Thread(
            target=target,  # type: ignore[arg-type]
            args=args,
            name="holdfast-process",
            daemon=True,
        )
        thread.start()
        return thread

    def _listen(self) -> None:
        """Take in signs and words until the guard has ended."""
        parts: list[bytes] = []
        poll = select.poll()
        for descriptor in (self._pipe.descriptor, self._report):
            poll.register(descriptor, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._pipe.descriptor in ready:
                self._take_signs()
            if self._report in ready:
                data = os.read(self._report, _CHUNK)
                if not data:
                    break
                parts.append(data)
                if b"\n" in data:
                    *lines, rest = b"".join(parts).split(b"\n")
                    parts = [rest]
                    for line in lines:
                        self._hear(line)
        self._guard.wait()
        if self.exit_code is None:
            self._end_without_guard()
        self._over.set()
        self.changed.set()

    def _hear(self, line: bytes) -> None:
        if line.startswith(b"W"):
            self.word = line[1:]
            self.changed.set()
        elif line.startswith(b"L"):
            # As it comes, and not into the tail: nobody printed it.
            with contextlib.suppress(Exception):
                self._log_to(f"{json.loads(line[1:])}\n".encode("utf-8", "backslashreplace"))
        elif line.startswith(b"G"):
            said = json.loads(line[1:])
            self._pid = said.get("pid", self._pid)
            self.exit_code = said.get("ended")

    def _take_signs(self) -> None:
        with self._lock:
            new = self._pipe.read()
            self._signs += new
        # Signs alone change nothing before the next look; they may come by the thousand.
        if any(sign.allowance is not None for sign in new):
            self.changed.set()

    def _end_without_guard(self) -> None:
        """The guard was killed: the process went with it; what is left of its session goes now."""
        for pid in of_session(self._pid) if self._pid is not None else ():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self.exit_code = self._guard.returncode

    def _pass_on(self, stream: IO[bytes], sink: Sink) -> None:
        with stream:
            while data := os.read(stream.fileno(), _CHUNK):
                self._tail.add(data)
                with contextlib.suppress(
                    Exception
                ):  # nobody reads any more: it goes on all the same
                    sink(data)

    def _ask_to_end(self) -> None:
        if not self._over.is_set():
            with contextlib.suppress(BrokenPipeError):
                os.write(self._control, b"e")

    def _kill_guard(self) -> None:
        self._guard.kill()
        self._over.wait(_GUARD_PATIENCE)

    def _close_control(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._control)

    def _let_go(self) -> None:
        self._close_control()
        for thread in self._threads:
            thread.join(_OUTPUT_PATIENCE)
        if self._over.is_set():
            os.close(self._report)
            self._pipe.close()
        shutil.rmtree(self._room, ignore_errors=True)


@contextlib.contextmanager
def _stdin_of(order: ProcessOrder):  # type: ignore[no-untyped-def]
    if order.stdin is None:
        yield None
        return
    # A file, not a pipe: it may be large, and nobody need read it.
    with tempfile.TemporaryFile() as file:
        file.write(order.stdin)
        file.seek(0)
        yield file


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
