"""What may stand in a word that is being completed: ids of the store, handlers of the program.

Quick, and silent whatever goes wrong: nobody wants a traceback for pressing a key.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING

import click

from ...domain.scope import Scope
from .shell import Shell

if TYPE_CHECKING:
    from ..engine import Engine

# Of the newest: more than that nobody reads through.
_MOST = 200
_LOOKED_AT = 2000
_PATIENCE = 0.3

Words = Callable[[click.Context, str], Iterable[str]]


def _quietly(words: Words) -> Words:
    @wraps(words)
    def found(context: click.Context, incomplete: str) -> list[str]:
        nowhere = io.StringIO()
        try:
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                fitting = (each for each in words(context, incomplete))
                return [each for each in fitting if each.startswith(incomplete)][:_MOST]
        except (Exception, SystemExit):  # noqa: BLE001 - what is wrong is said when the line runs
            return []

    return found


@_quietly
def workflows(context: click.Context, _: str) -> Iterable[str]:
    """Return workflows, the one written to last first."""
    with _engine(context) as engine:
        return _workflows(engine)


@_quietly
def ids(context: click.Context, incomplete: str) -> Iterable[str]:
    """Return workflows, and once one is named, what is in it."""
    with _engine(context) as engine:
        named = incomplete.replace("@", "/").partition("/")[0]
        if named == incomplete:
            found = [each for each in _workflows(engine) if each.startswith(incomplete)]
            if found != [incomplete]:
                return found
        checkpoints = engine.list(workflow_id=Scope.parse(named).workflow_id, limit=_LOOKED_AT)
        scopes = dict.fromkeys(str(each.scope) for each in reversed(checkpoints))
        return [*scopes, *(str(each.id) for each in checkpoints)]


@_quietly
def questions(context: click.Context, _: str) -> Iterable[str]:
    """Return what the workflow that the line names waits for."""
    with _engine(context) as engine:
        outline = engine.outline(workflow_id=context.params["workflow"])
        return [
            each.scope.stage_id
            for each in outline.inside
            if each.kind == "wait" and each.status == "waiting" and each.scope.stage_id
        ]


@_quietly
def handlers(context: click.Context, _: str) -> Iterable[str]:
    """Return the handlers of the program, and those that the store names."""
    names: dict[str, None] = {}
    shell = _shell(context)
    if shell.app is not None or shell.config.handlers:
        names |= dict.fromkeys(shell.registry().names())
    if shell.store is not None:
        with _engine(context) as engine:
            used = (each.handler for each in engine.workflows(limit=_MOST))
            names |= dict.fromkeys(each for each in used if each)
    return names


@_quietly
def startable(context: click.Context, _: str) -> Iterable[str]:
    """Return the workflows that the program registers."""
    registry = _shell(context).registry()
    specs = {name: registry.get(name) for name in registry.names()}
    return [name for name, spec in specs.items() if spec is not None and spec.is_workflow]


def _workflows(engine: Engine) -> list[str]:
    return [str(Scope(each.workflow_id)) for each in engine.workflows(limit=_LOOKED_AT)]


@contextmanager
def _engine(context: click.Context) -> Iterator[Engine]:
    with _shell(context).engine() as engine:
        yield engine


def _shell(context: click.Context) -> Shell:
    """Return the shell with what the line says so far: nothing of it has been run."""
    shell: Shell = context.obj
    for name, value in context.find_root().params.items():
        shell.give(name, value)
    shell.use(replace(shell.config, engine=replace(shell.config.engine, write_timeout=_PATIENCE)))
    return shell
