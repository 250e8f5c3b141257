"""Threads that do not keep a program from ending, as those of a pool of the library would."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def in_thread(name: str, function: Callable[[], T]) -> Future[T]:
    """Call *function* in a thread of its own, with the caller's context variables."""
    outcome: Future[T] = Future()
    context = contextvars.copy_context()

    def run() -> None:
        if not outcome.set_running_or_notify_cancel():
            return
        try:
            outcome.set_result(context.run(function))
        except BaseException as error:  # noqa: BLE001 - handed over to whoever waits
            outcome.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return outcome


def side_by_side(name: str, tasks: Sequence[Callable[[], T]], workers: int) -> list[T]:
    """Call the tasks, at most *workers* at once; return what they return, in their order.

    The tasks must not raise. When the caller is interrupted no further task is begun.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in range(len(tasks)):
        waiting.put(index)
    results: dict[int, T] = {}
    stopped = threading.Event()

    def work() -> None:
        while not stopped.is_set():
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                return
            results[index] = tasks[index]()

    threads = [in_thread(name, work) for _ in range(max(1, min(workers, len(tasks))))]
    try:
        for thread in threads:
            thread.result()
    finally:
        stopped.set()
    return [results[index] for index in range(len(tasks))]
