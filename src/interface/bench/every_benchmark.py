"""The benchmarks by name, and running one in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from . import purge, recovery, save
from .finding import Finding
from .options import Options
from .room import room


class _Benchmark(Protocol):
    """What the module of a benchmark has."""

    def steps_of(self, options: Options) -> int: ...

    def measure(self, folder: Path, options: Options, advance: Callable[[], None]) -> Finding: ...


_BENCHMARKS: dict[str, _Benchmark] = {"recovery": recovery, "save": save, "purge": purge}


def available() -> list[str]:
    """Return the benchmarks that this version can run."""
    return [name for name in _BENCHMARKS if name != "purge" or purge.is_there()]


def steps_of(name: str, options: Options) -> int:
    """Return how often `run` tells that it is getting on."""
    return _BENCHMARKS[name].steps_of(options)


def run(name: str, options: Options, folder: Path, advance: Callable[[], None]) -> Finding:
    """Measure in a store of its own inside *folder*, which is removed afterwards.

    Args:
        advance: called as often as `steps_of` says, from any thread.
    """
    with room(folder) as own:
        return _BENCHMARKS[name].measure(own, options, advance)
