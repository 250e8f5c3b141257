"""Where what a process prints goes on to: the streams of this one."""

from __future__ import annotations

import sys
from typing import Literal

from ...domain.ports.processes import Sink

Stream = Literal["stdout", "stderr"]


def through(name: Stream) -> Sink:
    """Return what passes bytes on to this process's standard output, or error, as it is now."""
    stream = getattr(sys, name)

    def write(data: bytes) -> None:
        if stream is None:
            return  # a program without a console
        binary = getattr(stream, "buffer", None)
        if binary is None:
            stream.write(data.decode("utf-8", "backslashreplace"))
        else:
            binary.write(data)
        stream.flush()

    return write
