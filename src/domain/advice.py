"""What messages tell people to do, where several of them say the same.

Advice names only what this version has.
"""

from __future__ import annotations

RUN_AGAIN = (
    "to run it again, start from an older checkpoint of it (parent= or --parent), or give the new "
    "run another id"
)
"""For a workflow that has reached its end, completed or killed."""

ENCODED = "inside a name / @ % are written %2F %40 %25"
"""For a text that does not read like an id."""

ONCE_MORE = "a recovery closes it as killed, with force=True it runs once more"
"""For a workflow whose retries are used up."""
