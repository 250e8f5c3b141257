"""What messages tell people to do, where several of them say the same.

Advice names only what this version has.
"""

from __future__ import annotations

START_AGAIN = (
    "to start again, fork it with engine.fork(…), or name an older checkpoint of it as the parent "
    "(parent= or --parent)"
)
"""For a workflow that is completed."""

NOTHING_TO_DO = "nothing is to be done"
"""For a workflow that is completed, and is to be carried on."""

OPEN_ANEW = "open it anew with engine.retry(…)"
"""For a workflow that was killed."""

LET_IT_END = "wait for it to end, or take it over with force=True"
"""For a workflow that somebody carries on."""

AT_ONCE = "with force=True it runs at once"
"""For a workflow whose back-off is not over."""

SEE_WORKFLOWS = "see what there is with engine.workflows(…)"
"""For a workflow that does not exist, and is like none that does."""

SEE_CHECKPOINTS = "see what there is with engine.list(…)"
"""For a checkpoint that does not exist, and is like none that does."""

ANSWER = "answer with engine.answer(…)"
"""For a workflow that waits for an answer, and nobody knows what for."""


def answer_with(workflow: object, name: str) -> str:
    """Return the advice for a workflow, by the text form of its name, that asks by *name*."""
    return f"answer with engine.answer({str(workflow)!r}, {name!r}, …)"


ENCODED = "inside a name / @ % are written %2F %40 %25"
"""For a text that does not read like an id."""

ONCE_MORE = "a recovery closes it as killed, with force=True it runs once more"
"""For a workflow whose retries are used up."""
