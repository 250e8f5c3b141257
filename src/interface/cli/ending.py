"""How the command line ends: exit codes, and one clear line on standard error."""

from __future__ import annotations

import traceback

import click

from ...domain.errors import (
    Damaged,
    HoldfastError,
    InvalidId,
    InvalidRequest,
    NotFound,
    Refused,
    StorageUnavailable,
)
from .wording import message_of

FAILED, USAGE, NOT_FOUND, REFUSED, STORAGE = 1, 2, 3, 4, 5

_CODES: tuple[tuple[type[Exception], int], ...] = (
    (InvalidId, USAGE),
    (InvalidRequest, USAGE),
    (NotFound, NOT_FOUND),
    (Refused, REFUSED),
    (Damaged, STORAGE),
    (StorageUnavailable, STORAGE),
)


def exit_code_of(error: Exception) -> int:
    """Return the exit code that tells of *error*."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


def report(error: Exception, *, verbose: bool) -> int:
    """Print one clear line, with *verbose* also the traceback; return the exit code."""
    if verbose:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    text = message_of(error)
    if not isinstance(error, HoldfastError):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    click.echo(f"holdfast: {text}", err=True)
    return exit_code_of(error)


def interrupted() -> int:
    """Say so; return the exit code that shells know."""
    from .signals import received

    click.echo("holdfast: interrupted; what was written is kept", err=True)
    return 128 + received()
