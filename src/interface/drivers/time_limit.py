"""Calling a plain function within a time limit."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from ...domain.errors import TimedOut

T = TypeVar("T")


def call_within(seconds: float, subject: str, function: Callable[[], T]) -> T:
    """Return what *function* returns, or raise `TimedOut` after so many seconds.

    It runs in a thread of its own, with the caller's context variables. It cannot be ended from
    outside: after the limit it goes on, and whatever it still writes is refused by its lease.
    """
    outcome: Future[T] = Future()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            outcome.set_result(context.run(function))
        except BaseException as error:  # noqa: BLE001 - handed over to whoever waits
            outcome.set_exception(error)

    # A daemon: a function that never returns must not keep the program from ending.
    threading.Thread(target=run, name=f"holdfast {subject}", daemon=True).start()
    try:
        return outcome.result(timeout=seconds)
    except TimeoutError:
        if outcome.done():
            return outcome.result()  # in the last moment, or an error of its own
        raise TimedOut(subject, "timed out after", seconds) from None
