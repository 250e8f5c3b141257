"""What an error advises, in the words of the command line."""

from __future__ import annotations

import ast
import re
import shlex

from ...domain.advice import (
    ANSWER,
    AT_ONCE,
    LET_IT_END,
    ONCE_MORE,
    OPEN_ANEW,
    START_AGAIN,
)
from ...domain.errors import HoldfastError

_OPTIONS = (
    ("abandon=True", "--abandon"),
    ("engine.recover(…, force=True)", "`holdfast recover --force`"),
    ("engine.recover(…)", "`holdfast recover`"),
    ("engine.retry(…)", "`holdfast retry`"),
    ("engine.workflows(…)", "`holdfast workflows`"),
    ("engine.list(…)", "`holdfast list`"),
    ("engine.attempts(…)", "`holdfast attempts`"),
    ("engine.fork(…)", "`holdfast fork`"),
    ("engine.answer(…)", "`holdfast answer`"),
    ("force=True", "--force"),
    ("parent= or --parent", "--parent"),
    ("handler= or --handler", "--handler"),
)

_TEXT = r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_ANSWER_TO = re.compile(rf"engine\.answer\({_TEXT}, {_TEXT}, …\)")

# Advice within the reasons of a refusal.
_WITHIN_REASONS = (START_AGAIN, OPEN_ANEW, ONCE_MORE, ANSWER, LET_IT_END, AT_ONCE)


def message_of(error: Exception) -> str:
    """Return what *error* says, on one line; options go by their names on the command line."""
    text = str(error)
    advice = error.advice if isinstance(error, HoldfastError) else ""
    if advice and text.endswith(advice):
        # The advice alone: what stands before it may hold names that people gave.
        text = text.removesuffix(advice) + in_options(advice)
    text = _ANSWER_TO.sub(_answer_command, text)
    for sentence in _WITHIN_REASONS:
        text = text.replace(sentence, in_options(sentence))
    return " ".join(text.split())


def in_options(advice: str) -> str:
    """Return *advice* with the options of the command line in place of Python's arguments."""
    advice = _ANSWER_TO.sub(_answer_command, advice)
    for python, option in _OPTIONS:
        advice = advice.replace(python, option)
    return advice


def _answer_command(found: re.Match[str]) -> str:
    names = (shlex.quote(ast.literal_eval(each)) for each in found.groups())
    return f"`holdfast answer {' '.join(names)} '…'`"
